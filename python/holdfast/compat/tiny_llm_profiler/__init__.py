"""The older edge profiler's names at their older places.

There are results, models, platforms, analysis, power and exceptions.

`from tiny_llm_profiler.results import ProfileResults` becomes
`from holdfast.compat.tiny_llm_profiler.results import ProfileResults`; new code imports from
`holdfast.edge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.edge import ComparativeAnalyzer as ComparativeAnalyzer
    from holdfast.edge import EdgeProfiler as EdgeProfiler
    from holdfast.edge import MetricsAnalyzer as MetricsAnalyzer
    from holdfast.edge import PlatformManager as PlatformManager
    from holdfast.edge import PowerProfiler as PowerProfiler
    from holdfast.edge import ProfileResults as ProfileResults
    from holdfast.edge import ProfilingConfig as ProfilingConfig
    from holdfast.edge import QuantizedModel as QuantizedModel

__getattr__, __dir__, __all__ = attach(
    __name__,
    dict.fromkeys(
        (
            "ComparativeAnalyzer", "EdgeProfiler", "MetricsAnalyzer", "PlatformManager",
            "PowerProfiler", "ProfileResults", "ProfilingConfig", "QuantizedModel",
        ),
        "holdfast.edge",
    ),
)  # fmt: skip
