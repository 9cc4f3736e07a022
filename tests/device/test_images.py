"""What ships is what the sources give."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from holdfast import _core

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "python/holdfast/edge/images"


MODEL = (IMAGES / "fables-279k-q8_0.gguf").read_bytes()


def test_the_model_is_named_for_what_it_is():
    info = _core.HostEngine(MODEL).info()
    assert (info["name"], info["parameters"]) == ("fables-279k-q8_0", 279_232)


def nats_per_token(model, lines):
    """How surprised the model is by each token after the first ten of a line."""
    engine, costs = _core.HostEngine(model), []
    for line in lines:
        ids = engine.tokenize(line)
        for end in range(10, len(ids)):
            logits = engine.forward(ids[:end]).astype(float)
            costs.append(np.log(np.exp(logits - logits.max()).sum()) + logits.max())
            costs[-1] -= logits[ids[end]]
    return np.mean(costs)


def test_the_model_was_trained_on_what_its_name_says(tmp_path):
    tool = [sys.executable, ROOT / "tools/fables.py", "3", "99"]
    fables = subprocess.run(tool, check=True, capture_output=True, text=True).stdout
    noise = tmp_path / "noise.gguf"
    subprocess.run([sys.executable, ROOT / "tools/make_model.py", "Q8_0", noise], check=True)
    # Fables of another seed than it was trained on; what chance leaves open is left.
    assert nats_per_token(MODEL, fables.splitlines()) < 0.6
    assert nats_per_token(noise.read_bytes(), fables.splitlines()) > 4


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
    for target in ("riscv32imc-unknown-none-elf", "thumbv7em-none-eabihf"):
        if target not in installed.stdout.split():
            pytest.skip(f"needs the target {target} of Rust 1.95.0")
    subprocess.run([sys.executable, ROOT / "tools/build_firmware.py", "--check"], check=True)
