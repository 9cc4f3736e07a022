"""Several deployments as bars side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.edge._files import write_whole
from holdfast.edge._results.svg import Axes, stacked
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._results.results import ProfileResults

METRICS = {
    "latency": ("first_token_latency_ms", "ms to the first token"),
    "memory": ("peak_memory_kb", "KB at most"),
    "energy": ("energy_per_token_mj", "mJ per token"),
}


def plot(
    results: Sequence[tuple[str, str, ProfileResults]],
    metrics: Sequence[str],
    save_to: str | None,
) -> str:
    """See `ComparativeAnalyzer.plot_comparison`."""
    if not metrics or (unknown := [name for name in metrics if name not in METRICS]):
        given = ", ".join(unknown) if metrics else "none"
        raise InvalidParameterError(f"metrics must be among {', '.join(METRICS)}, got {given}")
    panels = []
    for name in metrics:
        attribute, unit = METRICS[name]
        values = [getattr(one, attribute) for *_, one in results]
        known = [value for value in values if value is not None]
        axes = Axes((0, len(results) + 1), (0, max(known, default=1.0)), "", unit)
        for place, ((model, platform, _), value) in enumerate(
            zip(results, values, strict=True), 1
        ):
            axes.label(place, f"{model} on {platform}")
            if value is None:
                axes.text(place, "not measured")
            else:
                axes.bar(place, value, None, None).value(place, value)
        panels.append(axes)
    picture = stacked(panels, f"{', '.join(metrics)} of {len(results)} deployments")
    if save_to is not None:
        write_whole(save_to, picture.encode())
    return picture
