"""`holdfast profile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import Progress, as_json, note, say
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    import argparse

    from holdfast.edge import EdgeProfiler, ProfileResults, ProfilingConfig

_PROMPTS = ("Once upon a time", "The little dog", "One day a girl")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "-p", "--platform", default="sim-rv32", help="id of a platform (default: sim-rv32)"
    )
    parser.add_argument(
        "-d", "--device", action="append", default=[],
        help="port or URL; several make a fleet of the same platform",
    )  # fmt: skip
    parser.add_argument("-m", "--model", type=Path, help="GGUF file (default: the shipped one)")
    parser.add_argument("-b", "--baudrate", type=int, default=921_600)
    parser.add_argument(
        "--connection", default="serial", choices=["serial", "local", "network"]
    )
    parser.add_argument("--protocol", default="auto", help="auto, a protocol, or a TOML file")
    parser.add_argument("--server-model", help="name of the model on a server")
    parser.add_argument("--prompt", "--prompts", action="append", default=[], dest="prompts")
    parser.add_argument("--prompts-file", type=Path, help="one prompt a line")
    parser.add_argument(
        "--metrics", action="append", default=[], help="repeat, or join by commas"
    )
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=32, help="new tokens per request")
    parser.add_argument("--duration", type=float, default=300, help="budget in seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--energy", help="rapl, ina, or the recording of a meter")
    parser.add_argument("--volts", type=float, help="supply, for meters that record currents")
    parser.add_argument("-o", "--output", type=Path, help=".json, .csv or .html")
    parser.add_argument("--records", type=Path, help="raw token records as .jsonl and .npz")
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")


def _config(arguments: argparse.Namespace) -> ProfilingConfig:
    from holdfast.edge import ProfilingConfig  # noqa: PLC0415

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
        text = arguments.prompts_file.read_text(encoding="utf-8")
        prompts += [line for line in text.splitlines() if line.strip()]
    return prompts or list(_PROMPTS)


def write(results: ProfileResults, path: Path) -> None:
    """In the form the suffix names.

    Raises
    ------
    InvalidParameterError
        For another suffix.
    """
    writers = {
        ".json": results.export_json, ".csv": results.export_csv, ".html": results.export_html,
    }  # fmt: skip
    if path.suffix not in writers:
        raise InvalidParameterError(
            f"output must end in .json, .csv or .html, got {path.name!r}"
        )
    writers[path.suffix](path)


def _named(path: Path, name: str, several: bool) -> Path:  # noqa: FBT001
    if not several:
        return path
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return path.with_name(f"{path.stem}-{plain}{path.suffix}")


def run(arguments: argparse.Namespace) -> int:
    """Profile; 1 when any device failed."""
    from holdfast.edge import EdgeProfiler, profile_fleet  # noqa: PLC0415
    from holdfast.edge._results_io import to_dict  # noqa: PLC0415

    output = arguments.output
    if output is not None and output.suffix not in {".json", ".csv", ".html"}:
        raise InvalidParameterError(
            f"output must end in .json, .csv or .html, got {output.name!r}"
        )
    config = _config(arguments)
    metrics = [name for joined in arguments.metrics for name in joined.split(",") if name]
    if not metrics:
        metrics = ["latency", "memory", *(["power"] if arguments.energy else [])]
    devices = arguments.device or [None]

    def profiler(device: str | None) -> EdgeProfiler:
        return EdgeProfiler(
            arguments.platform, device, arguments.baudrate, arguments.connection, config,
            protocol=arguments.protocol, model_name=arguments.server_model,
        )  # fmt: skip

    fleet = profile_fleet(
        {device or arguments.platform: profiler(device) for device in devices},
        arguments.model,
        _prompts(arguments),
        metrics,
        progress=Progress(),
    )
    for name, results in fleet.results.items():
        if arguments.json:
            as_json(to_dict(results))
        else:
            say(repr(results))
            stopped = results.session_metadata["stopped"]
            say(f"  {results.session_metadata['requests']['ok']} requests, {stopped}")
        for metric, cause in results.session_metadata["causes"].items():
            note(f"{name}: {metric} was not measured: {cause}")
        if output is not None:
            write(results, _named(output, name, len(devices) > 1))
        if arguments.records is not None:
            results.save_records(_named(arguments.records, name, len(devices) > 1))
    for name, error in fleet.failures.items():
        note(f"{name}: {error}")
    unmeasured = any(
        results.session_metadata["failed_metrics"] for results in fleet.results.values()
    )
    return 1 if fleet.failures or unmeasured else 0
