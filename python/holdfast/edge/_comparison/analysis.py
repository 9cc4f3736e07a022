"""Reading a result: what holds a device back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from os import PathLike

    from holdfast.edge._results.results import ProfileResults


@dataclass(frozen=True)
class BottleneckInfo:
    """Something that holds a device back; `impact` from 0 to 1."""

    component: str
    impact: float
    description: str
    recommendation: str


# component, impact, part, attribute, threshold, above?, description, recommendation
_LIMITS = (
    ("Memory Usage", 0.9, "memory_profile", "peak_memory_kb", 400, True,
     "the peak is {:.0f} KB", "shorten the context or use fewer bits"),
    ("First Token Generation", 0.8, "latency_profile", "first_token_latency_ms", 200, True,
     "the first token takes {:.0f} ms", "shorten or cache the prompt"),
    ("Energy Efficiency", 0.8, "power_profile", "energy_per_token_mj", 5, True,
     "{:.1f} mJ per token", "a smaller model or fewer bits"),
    ("Token Generation Speed", 0.7, "latency_profile", "inter_token_latency_ms", 50, True,
     "{:.0f} ms per token", "fewer bits, a smaller model or SIMD kernels"),
    ("Power Consumption", 0.7, "power_profile", "active_power_mw", 200, True,
     "{:.0f} mW while active", "lower the clock or sleep between tokens"),
    ("Memory Efficiency", 0.6, "memory_profile", "memory_efficiency_tokens_per_kb", 0.1, False,
     "{:.3f} tokens per KB", "share buffers"),
)  # fmt: skip


class MetricsAnalyzer:
    """Flat numbers and bottlenecks of results; remembers what it was given."""

    def __init__(self) -> None:
        self.results_history: list[ProfileResults] = []

    def analyze(self, results: ProfileResults) -> dict[str, Any]:
        """Numbers by subject; only what was measured."""
        self.results_history.append(results)
        out: dict[str, Any] = {
            "platform": results.platform,
            "model_name": results.model_name,
            "model_size_mb": results.model_size_mb,
            "quantization": results.quantization,
        }
        latency, memory, power = (
            results.latency_profile, results.memory_profile, results.power_profile,
        )  # fmt: skip
        if latency is not None:
            out["latency"] = {
                "first_token_ms": latency.first_token_latency_ms,
                "inter_token_ms": latency.inter_token_latency_ms,
                "tokens_per_second": latency.tokens_per_second,
                "total_latency_ms": latency.total_latency_ms,
                "latency_variability": _ratio(latency.latency_std_ms, latency.total_latency_ms),
            }
        if memory is not None:
            rate = None if latency is None else latency.tokens_per_second
            overhead = None
            if memory.peak_memory_kb is not None and memory.baseline_memory_kb is not None:
                overhead = memory.peak_memory_kb - memory.baseline_memory_kb
            out["memory"] = {
                "peak_memory_kb": memory.peak_memory_kb,
                "memory_usage_kb": memory.memory_usage_kb,
                "memory_overhead_kb": overhead,
                "memory_efficiency": memory.memory_efficiency_tokens_per_kb,
                "tokens_per_kb": _ratio(rate, memory.memory_usage_kb),
            }
        if power is not None:
            out["power"] = {
                "idle_power_mw": power.idle_power_mw,
                "active_power_mw": power.active_power_mw,
                "peak_power_mw": power.peak_power_mw,
                "energy_per_token_mj": power.energy_per_token_mj,
                "power_efficiency": _ratio(1000.0, power.energy_per_token_mj),
            }
        return out

    def find_bottlenecks(self, results: ProfileResults | None = None) -> list[BottleneckInfo]:
        """What crosses a threshold, worst first; of the last result when none is given.

        Raises
        ------
        InvalidParameterError
            When there is neither.
        """
        if results is None:
            if not self.results_history:
                raise InvalidParameterError("results must be given: nothing was analysed yet")
            results = self.results_history[-1]
        found = []
        for component, impact, part, attribute, limit, above, text, advice in _LIMITS:
            value = getattr(getattr(results, part), attribute, None)
            if value is not None and (value > limit if above else value < limit):
                found.append(BottleneckInfo(component, impact, text.format(value), advice))
        latency = results.latency_profile
        if latency is not None:
            share = _ratio(latency.latency_std_ms, latency.total_latency_ms)
            if share is not None and share >= 0.2:  # noqa: PLR2004
                found.append(
                    BottleneckInfo(
                        "Latency Consistency", 0.5, f"times scatter by {share:.0%}",
                        "look for other work on the device, or throttling",
                    )
                )  # fmt: skip
        return sorted(found, key=lambda one: -one.impact)

    def generate_report(
        self, results: ProfileResults, output_path: str | PathLike[str]
    ) -> None:
        """The HTML page of `ProfileResults.export_html`."""
        results.export_html(output_path)


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
