"""A thousand faults under a device that streams tokens: what is wrong, lost, or misnamed.

Links that drop, lose, cut, double and flip bytes (TCP, pty), ports that are unplugged and
plugged in again, boards that are reset, and an emulated one that is halted, reset, quit and
killed (QMP). One fault strikes each request at a random moment. Complaints are: a wrong
token or time, a recoverable request that was not completed, a cause that names another
fault, a breaker in another state than its settings say.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests/edge"), str(ROOT / "tests/device")]

from chaos import TcpRig, run  # noqa: E402
from chaos_boards import PtyRig, QemuRig  # noqa: E402
from gguf_files import tiny_llama  # noqa: E402


def rigs(folder):
    model = tiny_llama()
    yield "TCP", lambda: TcpRig(1, model)
    yield "pty", lambda: PtyRig(2, model)
    if shutil.which("qemu-system-arm") is None or shutil.which("rustup") is None:
        print("QEMU: needs qemu-system-arm and rustup, left out")
        return
    image, tool = Path(folder) / "board.elf", ROOT / "tools/build_firmware.py"
    subprocess.run(
        [sys.executable, tool, "--board", "mps2-an386", "--output", image], check=True
    )
    yield "QMP", lambda: QemuRig(3, model, image)


def main(faults=1000):
    total, wrong = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name, make in rigs(folder):
            began, rig = time.monotonic(), make()
            outcomes, complaints = run(rig, -(-faults // 3))
            rig.close()
            total, wrong = total + sum(outcomes.values()), wrong + len(complaints)
            spent = time.monotonic() - began
            print(f"{name}: {sum(outcomes.values())} faults in {spent:.0f} s")
            for kind in sorted({kind for kind, _ in outcomes}):
                seen = ", ".join(
                    f"{count} {status}"
                    for (other, status), count in sorted(outcomes.items())
                    if other == kind
                )
                print(f"  {kind:7} {seen}")
            for one in complaints:
                print(f"  COMPLAINT {one}")
    print(f"{total} faults, {wrong} complaints")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))
