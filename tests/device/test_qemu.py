"""Another emulator, another processor: Cortex-M4F on QEMU's boards."""

import select
import shutil
import struct
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
from gguf_files import tiny_llama

from holdfast import _core

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "python/holdfast/edge/images"
EMULATOR = shutil.which("qemu-system-arm")

pytestmark = [
    pytest.mark.skipif(EMULATOR is None, reason="needs tools/install_servers.sh"),
    pytest.mark.timeout(900),
]


# Where a board looks for the model and its seed, and how much memory it says it has.
BOARDS = {
    "mps2-an386": (0x20_0000, 0x3F_FFF0, 32, 4 << 20),
    "netduinoplus2": (0x0808_0000, 0x080F_FFF0, 32, 128 << 10),
}


class Board:
    """One emulated board; model and boot seed are put into its memory beforehand."""

    def __init__(self, name, folder, model, seed=1):
        at, seed_at, *_ = BOARDS[name]
        firmware = IMAGES / f"{name}.elf"
        stored = folder / "model.bin"
        stored.write_bytes(b"HFM1" + struct.pack("<I", len(model)) + bytes(8) + model)
        self.client = _core.ProtocolClient(reply_timeout_ns=20 * 10**9)
        # One instruction is 16 ns of virtual time, whatever this machine is busy with.
        machine = ["-M", name, "-icount", "shift=4,sleep=off", "-kernel", firmware]
        loaders = [
            *["-device", f"loader,file={stored},addr={at:#x},force-raw=on"],
            *["-device", f"loader,addr={seed_at:#x},data={seed},data-len=4"],
        ]
        consoles = ["-display", "none", "-monitor", "none", "-serial", "stdio"]
        self.process = subprocess.Popen(
            [EMULATOR, *machine, *loaders, *consoles],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def until(self, kind, seconds=100):
        events, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            self.process.stdin.write(self.client.take())
            if select.select([self.process.stdout], [], [], 0.05)[0]:
                events += self.client.feed(self.process.stdout.read(4096), time.monotonic_ns())
            if any(event["event"] == kind for event in events):
                return events
        raise AssertionError(events)

    def generate(self, ids, count, request=1):
        self.client.generate(
            request, ids, time.monotonic_ns(), max_tokens=count, ignore_eos=True
        )
        return self.until("end")

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(params=BOARDS)
def name(request):
    return request.param


@pytest.fixture
def start(name, tmp_path):
    boards = []

    def start(model, seed=1):
        boards.append(Board(name, tmp_path, model, seed))
        # What arrives before the port is on is lost, as on silicon.
        boards[-1].until("hello")
        return boards[-1]

    yield start
    for board in boards:
        board.close()


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "F16", "F32"])
def test_an_arm_core_writes_the_same_text_bit_by_bit(start, kind):
    model = tiny_llama(kind)
    engine = _core.HostEngine(model)
    ids = engine.tokenize("the a")
    end = start(model).generate(ids, 12)[-1]
    assert end["digest"] == engine.generate(ids, 12, ignore_eos=True)["digest"]
    assert end["digest_matches"]


def test_counted_time_is_the_same_in_every_run(start):
    model, runs = (IMAGES / "fables-279k-q8_0.gguf").read_bytes(), []
    for seed in (1, 2):
        events = start(model, seed).generate([1, 300, 301], 6)
        ticks = [event["ticks"] for event in events if event["event"] == "token"]
        runs.append([b - a for a, b in pairwise(ticks)])
    # An instruction takes 16 ns and a tick 40 or 1000. Requests come when the host sends them,
    # so the phase of what polls for them differs, by at most two instructions.
    assert all(abs(a - b) <= 1 for a, b in zip(*runs, strict=True))


def test_memory_and_boots_are_told(start, name):
    model = tiny_llama()
    board, (_, _, clock_bits, ram) = start(model, seed=7), BOARDS[name]
    board.client.hello(time.monotonic_ns())
    first = board.until("hello")[0]
    assert (first["board"], first["clock_bits"], first["ram_bytes"]) == (name, clock_bits, ram)
    board.client.memory(time.monotonic_ns())
    memory = board.until("memory")[-1]
    assert memory["model_bytes"] == len(model)
    assert 0 < memory["stack_high_water_bytes"] < 10 << 10
    board.client.reboot(time.monotonic_ns())
    reboot = board.until("reboot")[-1]
    assert reboot["event"] in {"reboot", "hello"}


@pytest.mark.parametrize("name", ["netduinoplus2"], indirect=True)
def test_a_small_board_cuts_the_context_and_then_refuses_by_the_bytes(start):
    # The shipped model's working set is larger than the board's memory at its own context.
    shipped = (IMAGES / "fables-279k-q8_0.gguf").read_bytes()
    assert _core.HostEngine(shipped).info()["arena_bytes"] > 128 << 10
    board, ids = start(shipped), [1, 300, 301, 302]
    board.client.model_info(time.monotonic_ns())
    context = board.until("model")[-1]["context"]
    assert 16 <= context < _core.HostEngine(shipped).info()["context"]
    end = board.generate(ids, 8)[-1]
    assert (
        end["digest"] == _core.HostEngine(shipped).generate(ids, 8, ignore_eos=True)["digest"]
    )
    large = tiny_llama(dimension=256, hidden=256, layers=14)
    board = start(large)
    board.client.model_info(time.monotonic_ns())
    error = board.until("error")[-1]
    smallest = _core.HostEngine(large, context=16).info()["arena_bytes"]
    assert (error["code"], error["value"]) == ("out_of_memory", smallest)
