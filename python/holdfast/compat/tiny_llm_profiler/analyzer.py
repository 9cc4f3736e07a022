"""Older path of the analysis of results, with its report by plotly where that is installed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from os import fspath
from typing import TYPE_CHECKING, Any

from holdfast import edge
from holdfast.edge import BottleneckInfo, ComparativeAnalyzer, ComparisonResult

if TYPE_CHECKING:
    from os import PathLike

    from holdfast.edge import ProfileResults

__all__ = ["BottleneckInfo", "ComparativeAnalyzer", "ComparisonResult", "MetricsAnalyzer"]

HAS_PLOTLY = importlib.util.find_spec("plotly") is not None


def __getattr__(name: str) -> Any:
    """Plotly's `make_subplots`, imported when it is asked for; None without plotly."""
    if name != "make_subplots":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not HAS_PLOTLY:
        return None
    return importlib.import_module("plotly.subplots").make_subplots


class MetricsAnalyzer(edge.MetricsAnalyzer):
    """`holdfast.edge.MetricsAnalyzer`, whose report is plotly's where that is installed."""

    def generate_report(
        self, results: ProfileResults, output_path: str | PathLike[str]
    ) -> None:
        """Write a page with a bar for each number; without plotly, one with our own plots."""
        # Looked up now: older tests replace it.
        make = getattr(sys.modules[__name__], "make_subplots", None)
        found = self.analyze(results)
        subjects = [name for name in ("latency", "memory", "power") if name in found]
        if make is None or not subjects:
            super().generate_report(results, output_path)
            return
        figure = make(rows=len(subjects), cols=1, subplot_titles=subjects)
        for row, subject in enumerate(subjects, 1):
            known = {name: one for name, one in found[subject].items() if one is not None}
            bars = {"type": "bar", "x": list(known), "y": list(known.values()), "name": subject}
            figure.add_trace(bars, row=row, col=1)
        title = f"{results.model_name} on {results.platform}"
        figure.update_layout(title=title, showlegend=False)
        figure.write_html(fspath(output_path))
