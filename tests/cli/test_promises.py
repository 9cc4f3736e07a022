"""What the command line promises: checks before the work, quiet pipes, bars, exit codes."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import threading

import pytest

from holdfast.cli import COMMANDS, main
from holdfast.edge import EdgeProfiler, ProfileResults, ProfilingConfig

HOLDFAST = [sys.executable, "-m", "holdfast.cli"]
QUICK = ["--tokens", "4", "--prompt", "Hi"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A profile with its records, as files."""
    folder = tmp_path_factory.mktemp("run")
    with EdgeProfiler("sim-rv32", config=ProfilingConfig(max_new_tokens=10)) as profiler:
        results = profiler.profile_model(None, ["Hi", "Once"])
    results.export_json(folder / "r.json")
    results.save_records(folder / "r")
    return folder, results


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_exit_codes_and_examples(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "exit codes:" in text
    assert f"holdfast {command}" in text.partition("examples:")[2]
    options = re.findall(r"^  (?:-\w(?: \S+)?, )?--[a-z-]+", text, re.MULTILINE)
    assert len(options) >= 3


def test_every_option_is_explained():
    from holdfast.cli import parser

    for command in COMMANDS:
        made = parser(command)._subparsers._group_actions[0].choices[command]  # noqa: SLF001
        assert [one.dest for one in made._actions if not one.help] == []  # noqa: SLF001


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "/nowhere/x.json"], "there is no folder '/nowhere'"),
        (["-o", "x.pdf"], "must end in .json, .csv or .html"),
        (["--records", "/nowhere/run"], "there is no folder '/nowhere'"),
        (["-m", "none.gguf"], "there is no file 'none.gguf'"),
        (["-m", "/"], "model must be a file"),
        (["--prompts-file", "none.txt"], "there is no file 'none.txt'"),
        (["--energy", "none.ppk2"], "there is no file 'none.ppk2'"),
        (["-p", "sim-rv23"], "did you mean 'sim-rv32'"),
        (["-p", "sim-rv32-esp32c9"], "esp32-c3"),
        (["-d", "htpp://x"], "http://"),
        (["-d", "sim://generic-rv32", "-d", "sim://generic-rv32"], "named once each"),
        (["--metrics", "speed"], "speed"),
        (["--iterations", "0"], "measurement_iterations"),
    ],
)
def test_what_cannot_work_is_said_before_a_device_is_asked(
    arguments, said, capsys, monkeypatch
):
    if not any(word in str(arguments) for word in ("esp32c9", "htpp", "speed")):
        monkeypatch.setattr(EdgeProfiler, "connect", lambda self: pytest.fail("asked"))
    assert main(["profile", *arguments]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_file_of_prompts_in_another_encoding_is_named(tmp_path, capsys):
    (tmp_path / "p.txt").write_bytes(b"caf\xe9\n")
    assert main(["profile", "--prompts-file", str(tmp_path / "p.txt")]) == 1
    assert "not UTF-8" in capsys.readouterr().err
    (tmp_path / "p.txt").write_text("\n \n")
    assert main(["profile", "--prompts-file", str(tmp_path / "p.txt")]) == 1
    assert "has no prompt" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path, capsys):
    tmp_path.chmod(0o500)
    assert main(["profile", "-o", str(tmp_path / "x.json")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error():
    command = [*HOLDFAST, "profile", *QUICK, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as work:
        work.stdout.close()
        assert work.stderr.read() == b""
        assert work.wait(60) == 0


def drawn(command):
    """Standard output, and what a terminal on standard error was sent."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as work:
        os.close(theirs)
        seen = b""
        while True:
            if select.select([ours], [], [], 60)[0]:
                try:
                    part = os.read(ours, 4096)
                except OSError:
                    break
                if not part:
                    break
                seen += part
        out = work.stdout.read()
        assert work.wait(60) == 0
    os.close(ours)
    return out.decode(), seen.decode()


def test_a_terminal_shows_a_bar_and_the_answer_stays_clean():
    out, seen = drawn([*HOLDFAST, "profile", *QUICK, "--json"])
    assert json.loads(out)["schema"]
    assert re.search(r"\rprofile: 100%\|#+\| 1/1 \[\d\d:\d\d<00:00, [\d.]+ req/s\] ok", seen)
    assert seen.endswith("\n")


def test_a_fleet_shares_one_bar():
    _, seen = drawn(
        [*HOLDFAST, "profile", *QUICK, "-d", "sim://generic-rv32", "-d", "sim://esp32-c3"]
    )
    assert "| 2/2 [" in seen
    assert "2/2 devices" in seen


def test_a_bar_can_be_turned_off_and_never_shows_elsewhere():
    _, seen = drawn([*HOLDFAST, "profile", *QUICK, "--quiet"])
    assert seen == ""
    done = subprocess.run(
        [*HOLDFAST, "profile", *QUICK], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_one_device_that_fails_does_not_cost_the_others_theirs(tmp_path, capsys):
    arguments = ["profile", *QUICK, "-d", "sim://generic-rv32", "-d", "sim://nonsense",
                 "-d", "sim://esp32-c3", "-o", str(tmp_path / "r.json")]  # fmt: skip
    assert main([*arguments, "--json"]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert set(found["results"]) == {"sim://generic-rv32", "sim://esp32-c3"}
    assert "nonsense" in found["failures"]["sim://nonsense"]
    assert "sim://nonsense: " in captured.err
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "r-sim___esp32-c3.json", "r-sim___generic-rv32.json",
    ]  # fmt: skip
    rates = [ProfileResults.from_json(one).tokens_per_second for one in tmp_path.iterdir()]
    assert all(rates)


@pytest.mark.parametrize("suffix", [".jsonl", ".npz"])
def test_a_report_is_made_from_records_alone(run, suffix, tmp_path, capsys):
    folder, results = run
    target = tmp_path / "r.html"
    assert main(["report", str(folder / f"r{suffix}"), "-o", str(target)]) == 0
    text = target.read_text()
    assert "Tokens over time" in text
    assert "RAM" in text
    capsys.readouterr()
    assert main(["report", str(folder / f"r{suffix}")]) == 0
    assert f"{results.tokens_per_second:.1f} tok/s" in capsys.readouterr().out


def test_records_know_what_they_were_taken_of(run):
    folder, results = run
    again = ProfileResults.from_records(folder / "r.jsonl")
    assert (again.platform, again.session_id) == (results.platform, results.session_id)
    assert again.tokens_per_second == results.tokens_per_second
    assert again.memory_profile == results.memory_profile
    assert again.content_hash() == results.content_hash()


def test_a_report_goes_with_files_that_hold_one(run, tmp_path, capsys):
    folder, _ = run
    both = [str(folder / "r.json")] * 2
    assert main(["report", *both, "--badge", str(tmp_path / "b.svg")]) == 2
    assert main(["report", both[0], "--badge", str(tmp_path / "b.svg")]) == 0
    assert "tok/s (modelled)" in (tmp_path / "b.svg").read_text()
    assert main(["report", both[0], "-o", str(tmp_path / "x.json")]) == 1
    (tmp_path / "bad.npz").write_bytes(b"PK\3\4")
    assert main(["report", str(tmp_path / "bad.npz")]) == 1
    assert "token records" in capsys.readouterr().err


def test_a_comparison_is_a_table_with_what_differs(run, tmp_path, capsys):
    folder, _ = run
    with EdgeProfiler("sim-rv32", config=ProfilingConfig(max_new_tokens=12)) as profiler:
        profiler.profile_model(None, ["Hi", "Once"]).export_json(tmp_path / "b.json")
    assert main(["compare", str(folder / "r.json"), str(tmp_path / "b.json")]) == 1
    text = capsys.readouterr().out
    assert "differs: max_new_tokens: 10 -> 12" in text
    assert re.search(r"ram_peak +\d+ B +\d+ B +\+0.00 %", text)
    assert main(["compare", str(folder / "r.json"), str(folder / "r.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "not worse"
    assert (
        main(["compare", str(folder / "r.json"), str(folder / "r.json"), "--metric", "x"]) == 2
    )


def bridge(left, right, stop):
    """Carry bytes between two terminals."""
    while not stop.is_set():
        for source in select.select([left, right], [], [], 0.05)[0]:
            try:
                os.write(right if source == left else left, os.read(source, 4096))
            except OSError:
                return


def test_an_agent_on_a_serial_port_is_profiled_over_it(tiny_model_path, capsys):
    ends = [pty.openpty(), pty.openpty()]
    names = [os.ttyname(theirs) for _, theirs in ends]
    stop = threading.Event()
    carrier = threading.Thread(target=bridge, args=(ends[0][0], ends[1][0], stop), daemon=True)
    carrier.start()
    command = [*HOLDFAST, "agent", "-d", names[0], "-b", "115200"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert "serving" in server.stderr.readline()
        arguments = ["profile", "-p", "generic", "-d", names[1], "-b", "115200", "--protocol",
                     "holdfast", "-m", str(tiny_model_path), *QUICK, "--iterations", "2",
                     "--warmup", "0", "--json"]  # fmt: skip
        code = main(arguments)
        server.terminate()
        server.wait(20)
    stop.set()
    carrier.join(5)
    for end in ends:
        for descriptor in end:
            os.close(descriptor)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    said = json.loads(captured.out)
    assert said["measurements"]["decode_tps"]["clock"] == "device"
    assert "link_ms_per_token" in said["measurements"]


@pytest.mark.parametrize(
    ("platform", "port", "command"),
    [
        ("esp32", "/dev/ttyUSB1",
         "esptool.py --chip esp32 --port /dev/ttyUSB1 write_flash 0x1000 {fw}"),
        ("stm32f7", None, "st-flash write {fw} 0x8000000"),
        ("rp2040", None, "picotool load {fw} --execute"),
        ("nrf52840", None, "nrfjprog --program {fw} --sectorerase --verify --reset"),
        ("k210", "/dev/ttyUSB0", "kflash -p /dev/ttyUSB0 -b 1500000 {fw}"),
        ("bl602", "/dev/ttyUSB2", "blflash flash {fw} --port /dev/ttyUSB2"),
    ],
)  # fmt: skip
def test_each_tool_gets_its_arguments(platform, port, command, tmp_path, capsys):
    image = tmp_path / "fw.bin"
    image.write_bytes(b"\0")
    given = ["flash", "-p", platform, "--firmware", str(image), "--dry-run"]
    assert main([*given, *(["-d", port] if port else [])]) == 0
    assert capsys.readouterr().out.strip() == command.format(fw=image)


def test_flashing_says_what_it_does_not_use_and_what_is_missing(tmp_path, capsys, monkeypatch):
    image = tmp_path / "fw.bin"
    image.write_bytes(b"\0")
    given = ["flash", "-p", "stm32f4", "--firmware", str(image)]
    assert main([*given, "-d", "/dev/ttyUSB0", "--dry-run"]) == 0
    assert "is not used" in capsys.readouterr().err
    esp = ["flash", "-p", "esp32", "-d", "/dev/ttyUSB77", "--firmware", str(image), "--yes"]
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert main(esp) == 1
    assert "there is no port /dev/ttyUSB77" in capsys.readouterr().err
    killed = subprocess.CompletedProcess([], -9)
    monkeypatch.setattr("subprocess.run", lambda command, **options: killed)
    assert main([*given, "--yes"]) == 1
    assert "st-flash was ended by signal 9" in capsys.readouterr().err
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main([*given, "--yes"]) == 1
    assert "st-flash is not installed" in capsys.readouterr().err
    assert main(["flash", "-p", "rpi_zero", "--firmware", str(image)]) == 1
    assert "no flash tool" in capsys.readouterr().err
