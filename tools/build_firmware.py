"""Builds the firmware that ships: the same bytes wherever the repository lies.

    python tools/build_firmware.py                       # all boards, in place
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
IMAGES = ROOT / "python/holdfast/edge/images"
TARGETS = {
    "sim-rv32": "riscv32imc-unknown-none-elf",
    "mps2-an386": "thumbv7em-none-eabihf",
    "netduinoplus2": "thumbv7em-none-eabihf",
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
    command += ["--target", target, "--config", f"build.rustflags={flags}"]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name
        not in {"RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN"}
    }
    subprocess.run(command, cwd=WORKSHOP / "firmware", check=True, env=environment)  # noqa: S603
    return (WORKSHOP / f"firmware/target/{target}/release/{board}").read_bytes()


def main() -> int:
    """Writes the images, or says whether they are what the sources give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", choices=TARGETS, help="only this one")
    parser.add_argument("--output", type=Path, help="where to, with --board")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.output and not arguments.board:
        parser.error("--output needs --board")
    stale = False
    for board in [arguments.board] if arguments.board else TARGETS:
        image, path = build(board), arguments.output or IMAGES / f"{board}.elf"
        if not arguments.check:
            path.write_bytes(image)
            continue
        same = path.exists() and image == path.read_bytes()
        stale |= not same
        sys.stdout.write(f"{path.name} is {'what the sources give' if same else 'stale'}\n")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
