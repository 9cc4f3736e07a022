"""What a fitted clusterer says of its clusters: measurements, descriptions, pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast._limits import threads
from holdfast.clustering._data.kept import places_of
from holdfast.clustering._fallback import RawModel
from holdfast.clustering._fitted import Fitted
from holdfast.clustering._metrics import ClusteringMetrics, measure
from holdfast.clustering._model import Model
from holdfast.clustering._plot import draw, summary_html

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from holdfast.clustering._data.arrays import Rows, Sequences


class Reported(Fitted):
    """The questions that can be put to a fitted clusterer."""

    def get_cluster_assignments(self) -> NDArray[np.int64]:
        """Return the cluster of each training sample, 0 to n_clusters - 1."""
        return self.labels_.copy()

    def get_clustering_metrics(self) -> ClusteringMetrics:
        """Measure the fit; the stability refits ten subsamples, which takes a while."""
        model, fit = self._model, self._fit
        method = self._checked()[0]
        limits = self._limits(time.monotonic())

        def refit(data: Rows | Sequences, number: int) -> NDArray[np.int64]:
            k = model.n_clusters
            if isinstance(model, RawModel):
                return RawModel.fit(data, k, number, threads(self.n_jobs)).labels
            return Model.fit(
                data,
                method=method,
                n_clusters=k,
                seed=number,
                esn=self.esn_params,
                snn=self.snn_params,
                lsm=self.lsm_params,
                limits=limits,
            ).labels

        return measure(
            fit.kept,
            model.labels[places_of(len(model.labels), len(fit.kept))],
            model.embed(fit.kept, limits),
            len(model.labels) / max(fit.seconds, 1e-9),
            lambda data: model.predict(data, limits),
            refit,
        )

    def get_cluster_interpretation(self) -> dict[int, dict[str, Any]]:
        """Describe every cluster; what by, depends on the data (see the documentation)."""
        described = self._fit_or_raise().interpretation
        return {cluster: dict(facts) for cluster, facts in described.items()}

    def plot(self, kind: str = "auto", ax: Any = None) -> Any:
        """Draw the samples in the space of the clusters, and the clusters' profiles.

        Of more than 10,000 samples, as many drawn at random.

        Parameters
        ----------
        kind : {'auto', 'embedding', 'profiles'}
        ax : matplotlib Axes, optional

        Returns
        -------
        Axes, or an array of two for 'auto' without `ax`.
        """
        model, kept = self._model, self._fit.kept
        labels = model.labels[places_of(len(model.labels), len(kept))]
        places = model.embed(kept, self._limits(time.monotonic()))
        return draw(kept, labels, places, kind, ax)

    def _repr_html_(self) -> str:
        """Show a summary in a notebook."""
        if not self.trained:
            return f"<code>{self!r}</code>"
        model = self._model
        sizes = np.bincount(model.labels, minlength=model.n_clusters).tolist()
        rows = {
            "samples": str(len(model.labels)),
            "seconds": f"{self._fit.seconds:.2f}",
            "device": self.device_,
        }
        if self.fallback_used:
            rows["fallback"] = f"K-means, because of {self.last_error}"
        if self.ignored_columns_:
            rows["ignored columns"] = ", ".join(self.ignored_columns_)
        return summary_html(repr(self), rows, sizes)
