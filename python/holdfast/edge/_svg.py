"""Small plots as inline SVG: lines, bars with intervals, points."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 36
_COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers that span a range."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


class Axes:
    """A frame with scales; shapes are added to it."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], x_label: str, y_label: str
    ) -> None:
        self._x = x if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        pad = (y[1] - y[0]) * 0.05 or abs(y[0]) * 0.05 or 1.0
        self._y = (max(0.0, y[0] - pad) if y[0] >= 0 else y[0] - pad, y[1] + pad)
        self._parts: list[str] = []
        self._frame(x_label, y_label)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        return (
            _LEFT + (x - self._x[0]) / (self._x[1] - self._x[0]) * wide,
            _TOP + (1 - (y - self._y[0]) / (self._y[1] - self._y[0])) * high,
        )

    def _frame(self, x_label: str, y_label: str) -> None:
        for value in ticks(*self._y):
            _, at = self._at(self._x[0], value)
            self._parts.append(
                f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" '
                f'y2="{at:.1f}"/><text x="{_LEFT - 6}" y="{at + 4:.1f}" '
                f'text-anchor="end">{value:g}</text>'
            )
        # Bars are named one by one instead.
        for value in ticks(*self._x, 8) if x_label else ():
            at, _ = self._at(value, self._y[0])
            self._parts.append(
                f'<text x="{at:.1f}" y="{HEIGHT - _BOTTOM + 16}" '
                f'text-anchor="middle">{value:g}</text>'
            )
        middle = (HEIGHT - _BOTTOM + _TOP) / 2
        self._parts.append(
            f'<text x="{(WIDTH + _LEFT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">'
            f"{escape(x_label)}</text>"
            f'<text transform="translate(12,{middle}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>"
        )

    def line(self, x: Sequence[float], y: Sequence[float], colour: int = 0) -> Axes:
        """Points joined by a line."""
        points = " ".join(
            "{:.1f},{:.1f}".format(*self._at(u, v)) for u, v in zip(x, y, strict=True)
        )
        shade = _COLOURS[colour % len(_COLOURS)]
        self._parts.append(
            f'<polyline fill="none" stroke="{shade}" stroke-width="1.2" points="{points}"/>'
        )
        return self

    def points(self, x: Sequence[float], y: Sequence[float], colour: int = 0) -> Axes:
        """Points."""
        shade = _COLOURS[colour % len(_COLOURS)]
        for u, v in zip(x, y, strict=True):
            a, b = self._at(u, v)
            self._parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="1.8" fill="{shade}"/>')
        return self

    def bar(self, x: float, y: float, low: float | None, high: float | None) -> Axes:
        """A bar with its interval."""
        left, top = self._at(x - 0.3, y)
        right, bottom = self._at(x + 0.3, max(self._y[0], 0))
        self._parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{max(bottom - top, 0):.1f}" fill="{_COLOURS[0]}" opacity="0.6"/>'
        )
        if high is not None:
            middle, upper = self._at(x, high)
            _, lower = self._at(x, y if low is None else low)
            self._parts.append(
                f'<line stroke="#111" x1="{middle:.1f}" x2="{middle:.1f}" y1="{upper:.1f}" '
                f'y2="{lower:.1f}"/>'
            )
        return self

    def label(self, x: float, text: str) -> Axes:
        """A name below the axis."""
        at, _ = self._at(x, self._y[0])
        self._parts.append(
            f'<text x="{at:.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
            f"{escape(text)}</text>"
        )
        return self

    def svg(self, title: str) -> str:
        """The whole plot; `title` is read out by screen readers."""
        return (
            f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(self._parts)}</svg>'
        )
