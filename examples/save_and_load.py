"""A fitted clusterer on disk, without pickle: `python examples/save_and_load.py`."""

import tempfile
from pathlib import Path

from holdfast import NeuromorphicClusterer
from holdfast.datasets import load_wine

wine = load_wine()
clusterer = NeuromorphicClusterer(n_clusters=3).fit(wine.X)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "wine.holdfast"
    clusterer.save(path)
    again = NeuromorphicClusterer.load(path)
    print(path.stat().st_size, "bytes")
print("same labels:", (again.predict(wine.X) == clusterer.labels_).all())
