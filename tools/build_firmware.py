"""Builds the simulator's firmware: the same bytes wherever the repository lies.

    python tools/build_firmware.py            # into python/holdfast/edge/images
    python tools/build_firmware.py --check    # compares instead of writing

Needs the toolchain of firmware/rust-toolchain.toml with the target
riscv32im-unknown-none-elf (`rustup target add`).
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
IMAGE = ROOT / "python/holdfast/edge/images/sim-rv32.elf"
TARGET = "riscv32im-unknown-none-elf"
# Cargo puts the path of a local dependency into symbol hashes, which order the code.
WORKSHOP = Path("/tmp/holdfast-firmware")  # noqa: S108


def build() -> bytes:
    """Copies the sources to a fixed place and builds them there."""
    WORKSHOP.mkdir(exist_ok=True)
    for name in ("agent", "firmware"):
        ignore = shutil.ignore_patterns("target")
        kept = WORKSHOP / name / "target"
        for old in (WORKSHOP / name).glob("*"):
            if old != kept:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(ROOT / name, WORKSHOP / name, ignore=ignore, dirs_exist_ok=True)
    registry = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    flags = [f"--remap-path-prefix={registry}=cargo", f"--remap-path-prefix={WORKSHOP}=."]
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--config"]
    command.append(f"target.{TARGET}.rustflags={flags}")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name
        not in {"RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN"}
    }
    subprocess.run(command, cwd=WORKSHOP / "firmware", check=True, env=environment)  # noqa: S603
    return (WORKSHOP / f"firmware/target/{TARGET}/release/sim-rv32").read_bytes()


def main() -> int:
    """Writes the image, or says whether it is the one the sources give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    image = build()
    if parser.parse_args().check:
        same = image == IMAGE.read_bytes()
        sys.stdout.write(
            "the image is what the sources give\n" if same else "the image is stale\n"
        )
        return 0 if same else 1
    IMAGE.write_bytes(image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
