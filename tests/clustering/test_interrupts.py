"""Ctrl-C ends every kernel that may run long, and leaves the object usable."""

import subprocess
import sys

import pytest

# Each would take a minute or more.
WORK = {
    "a fit": "NeuromorphicClusterer(n_clusters=4).fit(rng.normal(size=(20_000, 400, 1)))",
    "K-means": "KMeans(200, tol=0.0, max_iter=10**6, n_init=1000).fit(rows)",
    "density": "DBSCAN(7.0, min_samples=1000).fit(rng.normal(size=(200_000, 64)))",
    "a mixture": "GaussianMixture(50, tol=0.0, max_iter=10**6).fit(rows)",
    "silhouettes": "silhouette_score(rows, labels, sample_size=None)",
    "spectral radius": "EchoStateNetwork(12_000, n_jobs=1).W_res",
    "an echo state": "EchoStateNetwork(500, n_jobs=1).transform(np.zeros((4000, 4000, 4)))",
    "a liquid": "LiquidStateMachine(2000, n_jobs=1).process_temporal_sequence(steps)",
    "spikes": "SpikingNeuralCluster(400).simulate_dynamics(trains, 1e7)",
    "many spikes": "SpikingNeuralCluster(400).simulate_batch([trains] * 50, 2e5)",
    "features of spikes": "SpikingNeuralCluster(400).transform(rng.random((10**6, 4)))",
    "a layer": "LIFNetwork(2000, n_jobs=1).transform(np.ones((2000, 4000, 4)))",
    "learning": "SpikingNeuralCluster(400).learn(trains, 1e7)",
}
SCRIPT = """
import signal, sys, time
import numpy as np
from holdfast.clustering import *

AFTER = 0.5
rng = np.random.default_rng(0)
rows = rng.normal(size=(200_000, 32)).astype(np.float32)
labels = np.arange(len(rows)) % 100
steps = np.ones((2000, 4))
trains = [np.sort(rng.uniform(0, 1e5, 20_000)) for _ in range(4)]
signal.signal(signal.SIGALRM, signal.default_int_handler)
begun = time.monotonic()
signal.setitimer(signal.ITIMER_REAL, AFTER)
try:
    {work}
except KeyboardInterrupt:
    print("interrupted after", time.monotonic() - begun - AFTER)
"""
AT_ONCE = 5.0  # seconds: generous, for a busy machine; about 0.05 on an idle one


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_ctrl_c_is_answered_at_once(work):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("{work}", work)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout.startswith("interrupted after "), done.stderr
    assert float(done.stdout.split()[-1]) < AT_ONCE
