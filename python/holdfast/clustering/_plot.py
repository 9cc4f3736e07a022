"""Pictures of a clustering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering._data.arrays import Rows, Sequences
from holdfast.errors._parameters import one_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("auto", "embedding", "profiles")
_SHOWN = 2000
_COLUMNS = 20
_ENTRIES = 16  # of a legend, one below the other


def draw(
    data: Rows | Sequences,
    labels: NDArray[np.int64],
    places: NDArray[np.float64],
    kind: str,
    ax: Any,
) -> Any:
    """Draw onto `ax`, or, for 'auto' without one, both kinds beside each other."""
    one_of("kind", kind, KINDS)
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("plot() needs matplotlib: pip install 'holdfast[plot]'") from error
    if ax is not None:
        _profiles(ax, data, labels) if kind == "profiles" else _embedding(ax, places, labels)
        return ax
    if kind != "auto":
        _, ax = plt.subplots(figsize=(5, 4), layout="constrained")
        return draw(data, labels, places, kind, ax)
    _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    _embedding(axes[0], places, labels)
    _profiles(axes[1], data, labels)
    axes[1].get_legend().remove()  # the same as that of the other
    return axes


def _embedding(ax: Any, places: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    rows = np.linspace(0, len(places) - 1, min(len(places), _SHOWN)).astype(int)
    centred = places[rows] - places[rows].mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(rows), 2))
    found = min(2, len(directions))
    plane[:, :found] = centred @ directions[:found].T
    for cluster in np.unique(labels):
        own = labels[rows] == cluster
        ax.scatter(
            plane[own, 0],
            plane[own, 1],
            s=12,
            color=f"C{cluster % 10}",
            label=_name(cluster, labels),
        )
    ax.set(
        title="samples in the space of the clusters",
        xlabel="first component",
        ylabel="second component",
    )
    _legend(ax)


def _legend(ax: Any) -> None:
    """Beside the axes where a layout engine makes room for it, else where it covers least."""
    beside = ax.figure.get_layout_engine() is not None
    place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if beside else {"loc": "best"}
    entries = len(ax.get_legend_handles_labels()[1])
    columns = -(-entries // _ENTRIES)
    ax.legend(title="cluster (size)", fontsize="small", ncols=columns, **place)


def _name(cluster: int, labels: NDArray[np.int64]) -> str:
    return f"{cluster} ({int((labels == cluster).sum())})"


def _profiles(ax: Any, data: Rows | Sequences, labels: NDArray[np.int64]) -> None:
    if isinstance(data, Rows):
        spread = data.values.std(axis=0)
        z = (data.values - data.values.mean(axis=0)) / np.where(spread > 0, spread, 1)
        z = z[:, :_COLUMNS]
        for cluster in np.unique(labels):
            ax.plot(
                z[labels == cluster].mean(axis=0),
                "o-",
                color=f"C{cluster % 10}",
                label=_name(cluster, labels),
            )
        ax.set_xticks(range(z.shape[1]), data.names[:_COLUMNS], rotation=60, ha="right")
        ax.set(title="mean of each cluster", ylabel="standard deviations from the mean")
        _legend(ax)
        return
    ends = np.cumsum(data.lengths)
    length = int(np.median(data.lengths))
    grid = np.linspace(0, 1, length)
    for cluster in np.unique(labels):
        curves = [
            np.interp(
                grid,
                np.linspace(0, 1, data.lengths[i]),
                data.values[ends[i] - data.lengths[i] : ends[i], 0],
            )
            for i in np.flatnonzero(labels == cluster)[:_SHOWN]
        ]
        mean, spread = np.mean(curves, axis=0), np.std(curves, axis=0)
        ax.plot(mean, color=f"C{cluster % 10}", label=_name(cluster, labels))
        ax.fill_between(
            range(length),
            mean - spread,
            mean + spread,
            color=f"C{cluster % 10}",
            alpha=0.15,
        )
    ax.set(title="mean series and standard deviation, first channel", xlabel="time step")
    _legend(ax)


def summary_html(title: str, rows: dict[str, str], sizes: list[int]) -> str:
    """Return a small table with one bar per cluster."""
    most = max([*sizes, 1])
    bars = "".join(
        f"<tr><td>{c}</td><td><svg width='120' height='10'><rect width='{120 * s / most:.0f}'"
        f" height='10' fill='#4477aa'/></svg> {s}</td></tr>"
        for c, s in enumerate(sizes)
    )
    facts = "".join(f"<tr><td>{k}</td><td>{v}</td></tr>" for k, v in rows.items())
    return f"<div><b>{title}</b><table>{facts}{bars}</table></div>"
