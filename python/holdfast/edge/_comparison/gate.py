"""Two whole results against one another: a gate for regressions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from holdfast.edge._comparison.comparison import ENERGY, TIMED, Comparison, compare
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._results.results import ProfileResults

# What is compared when nothing is named: one of each kind, so that a slow-down is not counted
# several times under several names.
DEFAULT = ("tpot_ms", "ttft_ms", "ram_peak", "flash", ENERGY)
# Settings that change what a number means.
_SETTINGS = (
    "prompts", "max_new_tokens", "seed", "measurement_iterations", "warmup_iterations",
    "energy", "volts", "deterministic",
)  # fmt: skip
_DEVICE = ("protocol", "board", "firmware", "clock", "tick_hz", "modelled", "ram_bytes",
           "flash_bytes")  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in two results, beside the numbers."""

    what: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """One line."""
        return f"{self.what}: {_short(self.before)} -> {_short(self.after)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004


def differences(a: ProfileResults, b: ProfileResults) -> list[Difference]:
    """Devices, models, settings and outcomes that are not the same."""
    pairs: list[tuple[str, Any, Any]] = [
        (name, getattr(a, name), getattr(b, name))
        for name in ("platform", "model_name", "model_size_mb", "quantization")
    ]
    mine, theirs = (one.environment_info.get("device", {}) for one in (a, b))
    pairs += [(f"device {name}", mine.get(name), theirs.get(name)) for name in _DEVICE]
    mine, theirs = (one.environment_info.get("host", {}) for one in (a, b))
    pairs += [(f"host {name}", mine.get(name), theirs.get(name))
              for name in ("system", "machine", "processors")]  # fmt: skip
    mine, theirs = (one.test_configuration for one in (a, b))
    pairs += [(name, mine.get(name), theirs.get(name)) for name in _SETTINGS]
    mine, theirs = (one.session_metadata.get("requests", {}) for one in (a, b))
    pairs += [(f"requests {name}", mine.get(name), theirs.get(name))
              for name in ("partial", "failed")]  # fmt: skip
    mine, theirs = (one.session_metadata.get("marks", {}) for one in (a, b))
    pairs += [(f"requests marked {name}", mine.get(name, 0), theirs.get(name, 0))
              for name in sorted({*mine, *theirs})]  # fmt: skip
    pairs += [
        (f"output digests ({name})", one, other)
        for name, one, other in _digests(a, b)
    ]  # fmt: skip
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


def _digests(a: ProfileResults, b: ProfileResults) -> list[tuple[str, Any, Any]]:
    """Answers to the same prompt that are not the same, the first of them."""
    mine, theirs = (one.raw_measurements.get("digest", []) for one in (a, b))
    keys = ("prompt_index", "repetition")
    same = all(a.raw_measurements.get(key) == b.raw_measurements.get(key) for key in keys)
    if not same or len(mine) != len(theirs):
        return []
    for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        if one and other and one != other:
            return [(f"request {index}", one, other)]
    return []


@dataclass(frozen=True)
class ProfileComparison:
    """Every compared metric, and what else differs.

    Attributes
    ----------
    comparisons : tuple of Comparison
    differences : tuple of Difference
        Devices, models and settings that are not the same: whether that was meant, only its
        reader knows.
    """

    comparisons: tuple[Comparison, ...]
    differences: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> str:
        """`worse` in any metric, else `not comparable` in any, else `not worse`."""
        return {0: "not worse", 1: "worse"}.get(self.exit_code, "not comparable")

    @property
    def exit_code(self) -> int:
        """0: worse in nothing, 1: worse in something, 2: something cannot be compared."""
        codes = [one.exit_code for one in self.comparisons]
        return 1 if 1 in codes else max(codes, default=2)

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "schema": "holdfast.edge.comparison/1",
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "comparisons": [one.to_dict() for one in self.comparisons],
            "differences": [
                {"what": one.what, "before": one.before, "after": one.after}
                for one in self.differences
            ],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """The table: metric, before, after, change, interval, verdict, method."""
        return [_row(one) for one in self.comparisons]

    def __str__(self) -> str:
        """The table, then what else differs."""
        cells = [HEADS, *self.rows()]
        widths = [max(len(row[i]) for row in cells) for i in range(len(HEADS))]
        lines = [
            "  ".join(
                cell.ljust(width) if i in {0, 5, 6} else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, *self.notes(), f"verdict: {self.verdict}"])

    def notes(self) -> list[str]:
        """What weakens a comparison or forbids it, then what else differs; one line each."""
        reasons: dict[str, list[str]] = {}
        for one in self.comparisons:
            if one.reason:
                reasons.setdefault(one.reason, []).append(one.metric)
        said = [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
        return [*said, *(f"differs: {one}" for one in self.differences)]

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(text)}</th>" for text in HEADS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        also = "".join(f"<li>{escape(text)}</li>" for text in self.notes())
        return f"<table><tr>{head}</tr>{body}</table><ul>{also}</ul><p>{self.verdict}</p>"


HEADS = ("metric", "before", "after", "change", "95 %", "verdict", "method")


def _quantity(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "B" or value == int(value):
        return f"{int(value)} {unit}".rstrip()
    return f"{value:.4g} {unit}".rstrip()


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{(ratio - 1) * 100:+.2f} %"


def _row(one: Comparison) -> tuple[str, ...]:
    interval = "-"
    if one.low is not None and one.high is not None and one.low != one.high:
        interval = f"{(one.low - 1) * 100:+.2f} .. {(one.high - 1) * 100:+.2f} %"
    how = one.method if one.method == "none" else f"{one.method}, n={one.n}"
    return (
        one.metric, _quantity(one.before, one.unit), _quantity(one.after, one.unit),
        _percent(one.ratio), interval, one.verdict, how,
    )  # fmt: skip


def _has(result: ProfileResults, metric: str) -> bool:
    if metric in TIMED:
        return any(value is not None for value in result.raw_measurements.get(metric, []))
    found = result.measurements.get(metric)
    return found is not None and found.value is not None


def compare_profiles(
    a: ProfileResults,
    b: ProfileResults,
    metrics: Sequence[str] = (),
    *,
    alpha: float = 0.05,
    tolerance: float = 1e-4,
) -> ProfileComparison:
    """Whether `b` is worse than `a` in any metric: times, memory, flash, energy.

    Parameters
    ----------
    a, b : ProfileResults
    metrics : sequence of str
        Those of `compare`. None named: `tpot_ms` (`e2e_ms` where tokens cannot be told apart),
        `ttft_ms`, `ram_peak`, `flash` and `energy_per_token`, as far as one of both has them.
    alpha : float
        Share of false alarms of all metrics together (Holm 1979).
    tolerance : float
        Relative difference that is accepted between deterministic results and counts.

    Raises
    ------
    InvalidParameterError
        When a metric is not known or named twice, `alpha` not in (0, 1) or `tolerance` below 0.
    """
    if len(set(metrics)) != len(metrics):
        raise InvalidParameterError(f"metrics must be named once each, got {list(metrics)!r}")
    wanted = list(metrics)
    if not wanted:
        default = ["e2e_ms" if name == "tpot_ms" and not (_has(a, name) or _has(b, name))
                   else name for name in DEFAULT]  # fmt: skip
        wanted = [name for name in default if _has(a, name) or _has(b, name)] or [DEFAULT[0]]
    found = [compare(a, b, name, alpha=alpha, tolerance=tolerance) for name in wanted]
    return ProfileComparison(_step_down(found, alpha), tuple(differences(a, b)))


def _step_down(found: Sequence[Comparison], alpha: float) -> tuple[Comparison, ...]:
    """Of m tested metrics the clearest must reach alpha / m, the next alpha / (m - 1), ..."""
    chances = {
        index: min(one.p_worse, 1 - one.p_worse)
        for index, one in enumerate(found)
        if one.p_worse is not None
    }
    out, holds = list(found), True
    for place, index in enumerate(sorted(chances, key=chances.__getitem__)):
        holds = holds and chances[index] <= alpha / (len(chances) - place)
        if not holds:
            out[index] = replace(out[index], verdict="same")
    return tuple(out)
