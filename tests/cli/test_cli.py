import json
import subprocess
import sys

import pytest

from holdfast.cli import main
from holdfast.edge import ProfileResults


@pytest.fixture
def saved(tmp_path):
    def make(name, factor):
        one = ProfileResults("sim-rv32", "tiny")
        one.raw_measurements = {
            "tpot_ms": [5.0 * factor * (1 + 0.01 * (i % 7)) for i in range(20)],
            "prompt_index": [0] * 20, "repetition": list(range(20)),
        }  # fmt: skip
        one.export_json(tmp_path / name)
        return str(tmp_path / name)

    return make


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.1, 1), (0.9, 0)])
def test_comparing_exits_with_1_when_slower(saved, capsys, factor, code):
    arguments = [
        "compare",
        saved("a.json", 1.0),
        saved("b.json", factor),
        "--metric",
        "tpot_ms",
    ]
    assert main(arguments) == code
    assert "tpot_ms" in capsys.readouterr().out


def test_nothing_to_compare_exits_with_2(saved, capsys):
    assert main(["compare", saved("a.json", 1), saved("b.json", 1), "--metric", "ttft_ms"]) == 2


def test_comparisons_are_data_for_programs(saved, capsys):
    main(["compare", saved("a.json", 1), saved("b.json", 1.2), "--json", "--metric", "tpot_ms"])
    assert json.loads(capsys.readouterr().out)["comparisons"][0]["verdict"] == "slower"


def test_reports_are_made_from_saved_results(saved, tmp_path, capsys):
    page = tmp_path / "r.html"
    assert main(["report", saved("a.json", 1), saved("b.json", 1), "-o", str(page)]) == 0
    assert page.read_text().count("<section>") == 2
    assert main(["report", saved("a.json", 1)]) == 0
    assert "tiny on sim-rv32" in capsys.readouterr().out


def test_platforms_are_listed(capsys):
    assert main(["devices", "--platforms", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "esp32"


def test_a_device_that_does_not_answer_exits_with_1(capsys):
    assert main(["devices", "-d", "tcp://127.0.0.1:1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["answer"]


def test_flashing_never_meets_a_shell(tmp_path, capsys, monkeypatch):
    image = tmp_path / "fw;touch pwned.bin"
    image.write_bytes(b"")
    arguments = ["flash", "-p", "stm32f4", "--firmware", str(image), "--dry-run"]
    assert main(arguments) == 0
    assert f"'{image}'" in capsys.readouterr().out
    ran = []
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(
        "subprocess.run", lambda command, **options: ran.append(command) or done
    )
    assert main([*arguments[:-1], "--yes"]) == 0
    assert ran == [["st-flash", "write", str(image), "0x8000000"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["flash", "-p", "stm32f4", "--firmware", "none.bin"], "firmware"),
        (["profile", "-p", "esp99"], "esp99"),
        (["profile", "-p", "esp32", "-d", "/dev/../etc/passwd"], "device"),
        (["profile", "-p", "host", "-o", "x.pdf"], "output"),
        (["report", "none.json"], "none.json"),
        (["agent", "--listen", "nowhere"], "where"),
    ],
)
def test_failures_exit_with_1_and_a_line_on_stderr(capsys, arguments, said):
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_wrong_usage_exits_with_2(capsys):
    assert main([]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["nonsense"])
    assert caught.value.code == 2


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys; from holdfast.cli import main; main(['--version']);"
        "assert 'numpy' not in sys.modules and 'holdfast._core' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_this_machine_is_profiled_from_the_command_line(tmp_path, tiny_model_path, capsys):
    out = tmp_path / "r.json"
    arguments = ["profile", "-p", "host", "-m", str(tiny_model_path), "--prompt", "abc",
                 "--tokens", "6", "--iterations", "2", "--warmup", "1", "-o", str(out),
                 "--records", str(tmp_path / "run")]  # fmt: skip
    assert main(arguments) == 0
    assert "tok/s" in capsys.readouterr().out
    assert ProfileResults.from_json(out).tokens_per_second > 0
    assert (tmp_path / "run.npz").exists()
    assert main(["report", str(out), "--records", str(tmp_path / "run.jsonl")]) == 0


def test_a_machine_serves_its_engine_and_another_profiles_it(tmp_path, tiny_model_path, capsys):
    command = [
        sys.executable,
        "-m",
        "holdfast.cli",
        "agent",
        "--listen",
        "127.0.0.1:0",
        "--once",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        where = server.stderr.readline().split()[-1]
        arguments = ["profile", "-p", "generic", "-d", where, "-m", str(tiny_model_path),
                     "--protocol", "holdfast", "--prompt", "abc", "--tokens", "6",
                     "--iterations", "2", "--warmup", "0", "--json"]  # fmt: skip
        assert main(arguments) == 0
        assert server.wait(20) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["measurements"]["decode_tps"]["clock"] == "device"
    assert said["profiles"]["latency"]["tokens_per_second"] > 0
