"""`holdfast profile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import (
    Progress,
    as_json,
    check_readable,
    check_writable,
    note,
    read_text,
    say,
)
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    import argparse

    from holdfast.edge import EdgeProfiler, FleetResults, ProfileResults, ProfilingConfig

_PROMPTS = ("Once upon a time", "The little dog", "One day a girl")
SUFFIXES = (".json", ".csv", ".html")

EPILOG = """\
A platform is a board (`holdfast devices --platforms` lists them), `sim-rv32` (a simulated
RISC-V part; `sim-rv32-esp32-c3` is one of its profiles), `host` (this machine) or `generic`.
A device is a serial port or tcp://, pty://, process://, qemu://, sim://, http:// with an
address.

With several -d, files get the name of the device before their suffix.

exit codes:
  0    every device gave everything that was asked for
  1    a device failed, or something was not measured; standard error says what and why
  2    wrong usage
  130  interrupted

examples:
  holdfast profile
  holdfast profile -p host -m model.gguf --prompt "Once upon a time" --tokens 64 -o host.html
  holdfast profile -p esp32 -d /dev/ttyUSB0 -d /dev/ttyUSB1 -o run.json --records run
  holdfast profile -p generic -d tcp://old:7070 -d tcp://new:7070 --in-turns -o run.json
  holdfast profile -p rpi_zero -d http://pi:8080 --iterations 40
  holdfast profile -p stm32f4 -d /dev/ttyACM0 --energy trace.ppk2 --volts 3.3
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    what = parser.add_argument_group("what is measured")
    what.add_argument(
        "-p", "--platform", default="sim-rv32", metavar="ID",
        help="id of a platform (default: %(default)s)",
    )  # fmt: skip
    what.add_argument(
        "-d", "--device", action="append", default=[], metavar="PORT",
        help="port or URL; several make a fleet of the same platform, measured at once",
    )  # fmt: skip
    what.add_argument(
        "-m", "--model", type=Path, metavar="FILE", help="GGUF (default: the shipped one)"
    )
    what.add_argument(
        "--prompt", "--prompts", action="append", default=[], dest="prompts", metavar="TEXT",
        help="repeat for several (default: three short ones)",
    )  # fmt: skip
    what.add_argument("--prompts-file", type=Path, metavar="FILE", help="one prompt a line")
    what.add_argument(
        "--metrics", action="append", default=[], metavar="NAMES",
        help="latency, memory, power, throughput; repeat, or join by commas "
        "(default: latency,memory, and power with --energy)",
    )  # fmt: skip
    how = parser.add_argument_group("how")
    how.add_argument(
        "--iterations", type=int, default=10, metavar="N",
        help="requests per prompt at most (default: %(default)s); a deterministic device is "
        "asked once",
    )  # fmt: skip
    how.add_argument(
        "--warmup", type=int, default=3, metavar="N",
        help="requests before measuring (default: %(default)s)",
    )  # fmt: skip
    how.add_argument(
        "--tokens", type=int, default=32, metavar="N",
        help="new tokens per request (default: %(default)s)",
    )  # fmt: skip
    how.add_argument(
        "--duration", type=float, default=300, metavar="SECONDS",
        help="budget of a device (default: %(default)s)",
    )  # fmt: skip
    how.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="order of prompts, and sampling (default: %(default)s)",
    )  # fmt: skip
    how.add_argument(
        "--energy", metavar="SOURCE",
        help="rapl, ina, or the recording of a meter: .ppk2, .jls, .csv, .txt",
    )  # fmt: skip
    how.add_argument(
        "--volts", type=float, metavar="V", help="supply, for meters that record currents"
    )
    how.add_argument(
        "--in-turns", action="store_true",
        help="several -d are asked in turns instead of at once, --iterations times: for "
        "`holdfast compare`",
    )  # fmt: skip
    link = parser.add_argument_group("how it is reached")
    link.add_argument(
        "-b", "--baudrate", type=int, default=921_600, metavar="RATE",
        help="of serial ports (default: %(default)s)",
    )  # fmt: skip
    link.add_argument(
        "--connection", default="serial", choices=["serial", "local", "network"],
        help="local: a Linux platform is this machine (default: %(default)s)",
    )  # fmt: skip
    link.add_argument(
        "--protocol", default="auto", metavar="NAME",
        help="auto, holdfast, mlperf-tiny, line, openai, chat, llama-server, ollama, or a TOML "
        "file that describes what the device prints (default: %(default)s)",
    )  # fmt: skip
    link.add_argument("--server-model", metavar="NAME", help="name of the model on a server")
    out = parser.add_argument_group("what is written")
    out.add_argument("-o", "--output", type=Path, metavar="FILE", help=".json, .csv or .html")
    out.add_argument(
        "--records", type=Path, metavar="NAME", help="raw token records: NAME.jsonl, NAME.npz"
    )
    out.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON; with several -d, {results: {device: ...}, failures}",
    )
    out.add_argument("--quiet", action="store_true", help="no progress bar on a terminal")


def _config(arguments: argparse.Namespace) -> ProfilingConfig:
    from holdfast.edge import ProfilingConfig

    return ProfilingConfig(
        measurement_iterations=arguments.iterations,
        warmup_iterations=arguments.warmup,
        max_new_tokens=arguments.tokens,
        timeout_seconds=arguments.duration,
        seed=arguments.seed,
        energy=arguments.energy,
        volts=arguments.volts,
    )


def _prompts(arguments: argparse.Namespace) -> list[str]:
    prompts = list(arguments.prompts)
    if arguments.prompts_file is not None:
        text = read_text("prompts-file", arguments.prompts_file)
        found = [line for line in text.splitlines() if line.strip()]
        if not found:
            raise InvalidParameterError(f"prompts-file: {arguments.prompts_file} has no prompt")
        prompts += found
    return prompts or list(_PROMPTS)


def write(results: ProfileResults, path: Path) -> None:
    """In the form the suffix names."""
    writers = {
        ".json": results.export_json, ".csv": results.export_csv, ".html": results.export_html,
    }  # fmt: skip
    writers[path.suffix](path)


def _named(path: Path, name: str, several: bool) -> Path:  # noqa: FBT001
    if not several:
        return path
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    suffix = path.suffix if path.suffix in {*SUFFIXES, ".jsonl", ".npz"} else ""
    return path.with_name(f"{path.name.removesuffix(suffix)}-{plain}{suffix}")


def _check(arguments: argparse.Namespace) -> None:
    """Everything that can be known to fail before the devices are asked."""
    check_readable("model", arguments.model)
    check_writable("output", arguments.output, SUFFIXES)
    check_writable("records", arguments.records)
    devices = arguments.device
    if len(set(devices)) != len(devices):
        raise InvalidParameterError(f"device must be named once each, got {', '.join(devices)}")
    energy = arguments.energy
    if energy is not None and ("/" in energy or "." in energy):
        check_readable("energy", Path(energy))


def run(arguments: argparse.Namespace) -> int:
    """Profile; 1 when any device failed."""
    from holdfast.edge import (
        EdgeProfiler,
        FleetResults,
        profile_fleet,
        profile_in_turns,
    )

    _check(arguments)
    config, prompts = _config(arguments), _prompts(arguments)
    metrics = [name for joined in arguments.metrics for name in joined.split(",") if name]
    if not metrics:
        metrics = ["latency", "memory", *(["power"] if arguments.energy else [])]
    devices = arguments.device or [None]

    def profiler(device: str | None) -> EdgeProfiler:
        return EdgeProfiler(
            arguments.platform, device, arguments.baudrate, arguments.connection, config,
            protocol=arguments.protocol, model_name=arguments.server_model,
        )  # fmt: skip

    profilers = {device or arguments.platform: profiler(device) for device in devices}
    bar, interrupted = Progress("profile", len(profilers)), False
    try:
        told = None if arguments.quiet else bar.of
        if arguments.in_turns:
            models = dict.fromkeys(profilers, arguments.model)
            fleet = FleetResults(
                profile_in_turns(
                    profilers, models, prompts, metrics,
                    rounds=arguments.iterations, progress=told,
                )
            )  # fmt: skip
        else:
            fleet = profile_fleet(profilers, arguments.model, prompts, metrics, progress=told)
    except KeyboardInterrupt as interrupt:
        # What was measured until then is printed and saved all the same.
        fleet, interrupted = getattr(interrupt, "partial_results", None) or FleetResults(), True
    finally:
        bar.close()
    _tell(fleet, arguments, several=len(profilers) > 1)
    if interrupted:
        note("interrupted")
        return 130
    unmeasured = any(
        results.session_metadata["failed_metrics"] for results in fleet.results.values()
    )
    return 1 if fleet.failures or unmeasured else 0


def _tell(fleet: FleetResults, arguments: argparse.Namespace, *, several: bool) -> None:
    """Print and write what each device gave."""
    from holdfast.edge._results.files import to_dict

    if arguments.json:
        found = {name: to_dict(results) for name, results in fleet.results.items()}
        failures = {name: str(error) for name, error in fleet.failures.items()}
        if several:
            as_json({"results": found, "failures": failures})
        for one in () if several else found.values():
            as_json(one)
    for name, results in fleet.results.items():
        if not arguments.json:
            said = results.session_metadata
            say(f"{f'{name}: ' if several else ''}{results!r}")
            say(f"  {said['requests']['ok']} requests, {said['stopped']}")
        for metric, cause in results.session_metadata["causes"].items():
            note(f"{name}: {metric} was not measured: {cause}")
        if arguments.output is not None:
            write(results, _named(arguments.output, name, several))
        if arguments.records is not None:
            results.save_records(_named(arguments.records, name, several))
    for name, error in fleet.failures.items():
        note(f"{name}: {error}")
