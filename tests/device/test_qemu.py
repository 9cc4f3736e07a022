"""Another emulator, another processor: Cortex-M4F on QEMU's MPS2 board."""

import select
import shutil
import struct
import subprocess
import sys
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
    pytest.mark.skipif(shutil.which("rustup") is None, reason="needs rustup"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def firmware(tmp_path_factory):
    image = tmp_path_factory.mktemp("firmware") / "mps2-an386.elf"
    script = ROOT / "tools/build_firmware.py"
    command = [sys.executable, script, "--board", "mps2-an386", "--output", image]
    subprocess.run(command, check=True)
    return image


class Board:
    """One emulated board; model and boot seed are put into its memory beforehand."""

    def __init__(self, firmware, folder, model, seed=1):
        stored = folder / "model.bin"
        stored.write_bytes(b"HFM1" + struct.pack("<I", len(model)) + bytes(8) + model)
        self.client = _core.ProtocolClient(reply_timeout_ns=20 * 10**9)
        # One instruction is 64 ns of virtual time, whatever this machine is busy with.
        machine = ["-M", "mps2-an386", "-icount", "shift=6,sleep=off", "-kernel", firmware]
        loaders = [
            *["-device", f"loader,file={stored},addr=0x200000,force-raw=on"],
            *["-device", f"loader,addr=0x3ffff0,data={seed},data-len=4"],
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


@pytest.fixture
def start(firmware, tmp_path):
    boards = []

    def start(model, seed=1):
        boards.append(Board(firmware, tmp_path, model, seed))
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
    model, runs = (IMAGES / "noise-279k-q8_0.gguf").read_bytes(), []
    for seed in (1, 2):
        events = start(model, seed).generate([1, 300, 301], 6)
        ticks = [event["ticks"] for event in events if event["event"] == "token"]
        runs.append([b - a for a, b in pairwise(ticks)])
    # One tick is 40 ns; the tick in which a token falls may differ by its phase.
    assert all(abs(a - b) <= 1 for a, b in zip(*runs, strict=True))


def test_memory_and_boots_are_told(start):
    model = tiny_llama()
    board = start(model, seed=7)
    board.client.hello(time.monotonic_ns())
    first = board.until("hello")[0]
    assert (first["board"], first["clock_bits"]) == ("mps2-an386", 32)
    board.client.memory(time.monotonic_ns())
    memory = board.until("memory")[-1]
    assert memory["model_bytes"] == len(model)
    assert 0 < memory["stack_high_water_bytes"] < 10 << 10
    board.client.reboot(time.monotonic_ns())
    reboot = board.until("reboot")[-1]
    assert reboot["event"] in {"reboot", "hello"}
