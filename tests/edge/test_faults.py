"""A small budget of what `benches/faults.py` does a thousand times."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "device"))

from chaos import TcpRig, run
from chaos_boards import PtyRig, QemuRig
from edge_peers import Agent

from holdfast.edge import DeviceTimeoutError, Generation
from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._links.channels import open_link


@pytest.fixture
def busy():
    """A model that answers for some seconds."""
    from gguf_files import weights, write

    metadata, tensors, _ = weights(layers=6)
    return write(metadata | {"llama.context_length": 20_000}, tensors)


@pytest.fixture
def rig():
    made = []

    def make(kind, *arguments):
        made.append(kind(*arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("kind", TcpRig.gentle)
def test_a_bad_network_costs_no_token(rig, tiny_model, kind):
    outcomes, complaints = run(rig(TcpRig, 5, tiny_model.data()), 4, kind=kind)
    assert complaints == []
    assert set(outcomes) == {(kind, "ok")}


@pytest.mark.parametrize("kind", PtyRig.gentle)
def test_a_bad_cable_costs_no_token(rig, tiny_model, kind):
    outcomes, complaints = run(rig(PtyRig, 6, tiny_model.data()), 3, kind=kind)
    assert complaints == []
    assert set(outcomes) == {(kind, "ok")}


@pytest.mark.parametrize("kind", PtyRig.harsh)
def test_what_cannot_be_recovered_is_named_and_opens_the_breaker(rig, tiny_model, kind):
    outcomes, complaints = run(rig(PtyRig, 7, tiny_model.data()), 4, kind=kind)
    assert complaints == []
    assert (kind, "ok") not in outcomes


@pytest.mark.timeout(600)
def test_an_emulated_board_is_halted_reset_and_killed(rig, tiny_model, tmp_path):
    if shutil.which("qemu-system-arm") is None or shutil.which("rustup") is None:
        pytest.skip("needs tools/install_servers.sh and rustup")
    image, tool = tmp_path / "board.elf", Path(__file__).parents[2] / "tools/build_firmware.py"
    command = [sys.executable, tool, "--board", "mps2-an386", "--output", image]
    subprocess.run(command, check=True, capture_output=True)
    board = rig(QemuRig, 8, tiny_model.data(), image)
    for kind in (*QemuRig.gentle, *QemuRig.harsh):
        assert run(board, 2, kind=kind)[1] == []


def test_two_sessions_on_one_running_board_never_mix_their_answers(peer, tiny_model):
    agent = peer(Agent, tiny_model.data())
    texts = []
    for prompt in ("abc", "the", "abc"):
        one = FramedDevice(lambda: open_link(agent.url))
        one.open()
        out = Generation(0, prompt)
        one.generate(out, 8, 0, 10)
        one.close()
        texts.append(out.token_ids)
    assert texts[0] == texts[2] != texts[1]


def test_a_request_that_was_given_up_does_not_keep_the_board_busy(peer, busy):
    agent = peer(Agent, busy)
    one = FramedDevice(lambda: open_link(agent.url))
    one.open()
    with pytest.raises(DeviceTimeoutError):
        one.generate(Generation(0, "abc"), 20_000, 0, 0.05)
    again = Generation(0, "abc")
    one.generate(again, 4, 0, 10)
    assert len(again.token_ids) == 4
    one.close()


def test_a_request_that_another_program_left_behind_is_ended(peer, busy):
    agent = peer(Agent, busy)
    left = FramedDevice(lambda: open_link(agent.url))
    left.open()
    with pytest.raises(DeviceTimeoutError):
        left.generate(Generation(0, "abc"), 20_000, 0, 0.05)
    left.close()
    one = FramedDevice(lambda: open_link(agent.url))
    one.open()
    out = Generation(0, "the")
    one.generate(out, 4, 0, 10)
    assert len(out.token_ids) == 4
    one.close()
