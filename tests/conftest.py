import os
import signal
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
# What starts tests in the background may have had Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
collect_ignore = ["typing", "wheel"]  # for mypy; run by make
# No test is timed: a busy machine is not a fault. Every run tries the same; `long` others.
hypothesis.settings.register_profile(
    "untimed",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("untimed")
hypothesis.settings.register_profile(  # for `make slow`
    "long",
    max_examples=20_000,
    deadline=None,
    derandomize=False,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


@pytest.fixture
def waves():
    """Thirty series of three frequencies, of different lengths."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(60, 90, 30)
    return [
        np.sin(np.arange(n) / (2, 5, 12)[i % 3] + rng.uniform(0, 6))
        for i, n in enumerate(lengths)
    ]


@pytest.fixture
def energies():
    """Eighty rows around four points, as a DataFrame of energies."""
    import pandas as pd

    rng = np.random.default_rng(0)
    centers = [(70, 20, 20, 40), (20, 70, 30, 20), (25, 30, 70, 35), (40, 15, 35, 75)]
    values = np.concatenate([rng.normal(c, 5, (20, 4)) for c in centers])
    names = ["red_energy", "blue_energy", "green_energy", "yellow_energy"]
    return pd.DataFrame(values.clip(0, 100), columns=names)


@pytest.fixture(scope="session")
def tiny_model_path(tmp_path_factory):
    """A GGUF of two layers, written from the description of the format."""
    sys.path.insert(0, str(Path(__file__).parent / "device"))
    from gguf_files import tiny_llama

    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny_llama())
    return path


@pytest.fixture
def tiny_model(tiny_model_path):
    from holdfast.edge import QuantizedModel

    return QuantizedModel.from_file(tiny_model_path)
