"""What a result suggests: the thresholds that older scripts know, on what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.edge._results.findings import Findings


def efficiency_score(results: Findings) -> float | None:
    """Mean of three shares, 0 to 100; None when nothing was measured, or the times failed.

    20 tokens/s and more count 100; 2 MB of peak memory, and 200 mW, count 50 and more than
    twice that count 0.
    """
    import numpy as np

    if "latency" in (results.session_metadata.get("failed_metrics") or ()):
        return None
    scores = []
    latency, memory, power = (
        results.latency_profile,
        results.memory_profile,
        results.power_profile,
    )
    if latency is not None and latency.tokens_per_second is not None:
        scores.append(min(100.0, latency.tokens_per_second / 20 * 100))
    if memory is not None and memory.peak_memory_kb is not None:
        scores.append(max(0.0, 100 - memory.peak_memory_kb / 1024 / 2 * 50))
    if power is not None and power.active_power_mw is not None:
        scores.append(max(0.0, 100 - power.active_power_mw / 200 * 50))
    return float(np.mean(scores)) if scores else None


def ratios(ours: Findings, theirs: Findings) -> dict[str, float]:
    """How many times better `ours` is; what either lacks is left out."""
    found = {}
    for name, part, attribute, more_is_better in (
        ("tokens_per_second_ratio", "latency_profile", "tokens_per_second", True),
        ("latency_improvement", "latency_profile", "first_token_latency_ms", False),
        ("memory_efficiency_ratio", "memory_profile", "peak_memory_kb", False),
        ("power_efficiency_ratio", "power_profile", "active_power_mw", False),
        ("energy_efficiency_ratio", "power_profile", "energy_per_token_mj", False),
    ):
        mine = getattr(getattr(ours, part), attribute, None)
        other = getattr(getattr(theirs, part), attribute, None)
        if mine and other:
            found[name] = mine / other if more_is_better else other / mine
    return found


def recommendations(results: Findings) -> list[str]:
    """One sentence per threshold that was crossed."""
    said = []
    latency, memory, power = (
        results.latency_profile,
        results.memory_profile,
        results.power_profile,
    )
    if latency is not None:
        rate, first = latency.tokens_per_second, latency.first_token_latency_ms
        if rate is not None and rate < 5:  # noqa: PLR2004
            said.append(
                f"{rate:.1f} tokens/s is slow: try a stronger quantization or a smaller model"
            )
        if first is not None and first > 200:  # noqa: PLR2004
            said.append(f"the first token takes {first:.0f} ms: shorten or cache the prompt")
    if memory is not None:
        said += _memory_advice(results.platform, memory.peak_memory_kb)
        if (memory.fragmentation_percent or 0) > 20:  # noqa: PLR2004
            said.append(
                f"{memory.fragmentation_percent:.0f} % of the heap is fragmented: allocate once"
            )
    if power is not None:
        active, energy = power.active_power_mw, power.energy_per_token_mj
        if active is not None and active > 150:  # noqa: PLR2004
            said.append(
                f"{active:.0f} mW while active: lower the clock or sleep between tokens"
            )
        if energy is not None and energy > 5:  # noqa: PLR2004
            said.append(f"{energy:.1f} mJ per token: a smaller model or fewer bits would help")
    return said


def _memory_advice(platform: str, peak_kb: float | None) -> list[str]:
    if peak_kb is None:
        return []
    said = []
    if peak_kb > 1.5 * 1024:
        said.append(f"the peak is {peak_kb / 1024:.1f} MB: shorten the context or the KV cache")
    if platform in {"esp32", "esp32s3"} and peak_kb > 400:  # noqa: PLR2004
        said.append(f"{peak_kb:.0f} KB do not fit beside the radio stack: use PSRAM")
    if platform.startswith("stm32") and peak_kb > 150:  # noqa: PLR2004
        said.append(f"{peak_kb:.0f} KB exceed one SRAM bank: place buffers by hand (SRAM)")
    return said
