"""Builds firmware: the same bytes wherever the repository lies.

    python tools/build_firmware.py                       # what ships, in place
    python tools/build_firmware.py --check               # compares instead of writing
    python tools/build_firmware.py --board mps2-an386 --output board.elf

Needs the toolchain of firmware/rust-toolchain.toml with its targets.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMAGE = ROOT / "python/holdfast/edge/images/sim-rv32.elf"
TARGETS = {
    "sim-rv32": "riscv32im-unknown-none-elf",
    "mps2-an386": "thumbv7em-none-eabihf",
}
# Cargo puts the path of a local dependency into symbol hashes, which order the code.
WORKSHOP = Path("/tmp/holdfast-firmware")  # noqa: S108


def build(board: str) -> bytes:
    """Copies the sources to a fixed place and builds them there, one build at a time."""
    WORKSHOP.mkdir(exist_ok=True)
    with (WORKSHOP / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(board)


def _build(board: str) -> bytes:
    for name in ("agent", "firmware"):
        ignore = shutil.ignore_patterns("target")
        kept = WORKSHOP / name / "target"
        for old in (WORKSHOP / name).glob("*"):
            if old != kept:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        # Cargo compares times: the last build may have been of a newer checkout.
        shutil.copytree(
            ROOT / name,
            WORKSHOP / name,
            ignore=ignore,
            dirs_exist_ok=True,
            copy_function=shutil.copyfile,
        )
    target = TARGETS[board]
    registry = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    flags = [f"--remap-path-prefix={registry}=cargo", f"--remap-path-prefix={WORKSHOP}=."]
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--bin", board]
    command += ["--target", target, "--config", f"target.{target}.rustflags={flags}"]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name
        not in {"RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN"}
    }
    subprocess.run(command, cwd=WORKSHOP / "firmware", check=True, env=environment)  # noqa: S603
    return (WORKSHOP / f"firmware/target/{target}/release/{board}").read_bytes()


def main() -> int:
    """Writes the image, or says whether it is the one the sources give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", choices=TARGETS, default="sim-rv32")
    parser.add_argument("--output", type=Path, default=IMAGE)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.board != "sim-rv32" and arguments.output == IMAGE:
        parser.error("--output must be given for a board whose image does not ship")
    image = build(arguments.board)
    if not arguments.check:
        arguments.output.write_bytes(image)
        return 0
    same = image == arguments.output.read_bytes()
    sys.stdout.write(
        f"{arguments.output.name} is {'what the sources give' if same else 'stale'}\n"
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
