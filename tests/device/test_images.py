"""What ships is what the sources give."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import _core

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "python/holdfast/edge/images"


def test_the_model_is_what_its_script_writes(tmp_path):
    made = tmp_path / "model.gguf"
    subprocess.run([sys.executable, ROOT / "tools/make_model.py", "Q8_0", made], check=True)
    assert made.read_bytes() == (IMAGES / "noise-279k-q8_0.gguf").read_bytes()


def test_the_model_is_named_for_what_it_is():
    info = _core.HostEngine((IMAGES / "noise-279k-q8_0.gguf").read_bytes()).info()
    assert (info["name"], info["parameters"]) == ("noise-279k-q8_0", 279_232)


@pytest.mark.timeout(900)
def test_the_firmware_is_what_its_sources_give():
    rustup = shutil.which("rustup")
    if rustup is None:
        pytest.skip("needs rustup")
    installed = subprocess.run(
        [rustup, "target", "list", "--installed", "--toolchain", "1.95.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    for target in ("riscv32im-unknown-none-elf", "thumbv7em-none-eabihf"):
        if target not in installed.stdout.split():
            pytest.skip(f"needs the target {target} of Rust 1.95.0")
    subprocess.run([sys.executable, ROOT / "tools/build_firmware.py", "--check"], check=True)
