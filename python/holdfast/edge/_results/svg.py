"""Small plots as SVG: lines, bars with intervals, points; readable on light and dark."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 640, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 14, 38
COLOURS = ("#3b82f6", "#e08a1e", "#10a37f", "#e5484d", "#8b5cf6", "#0aa2c0")
STYLE = """
.holdfast svg{width:100%;height:auto;display:block;font:11px system-ui,sans-serif;
overflow:visible}
.holdfast svg text{fill:currentColor;opacity:.8}
.holdfast svg .grid{stroke:rgba(128,128,128,.28)}
.holdfast svg .whisker{stroke:currentColor;stroke-width:1.4}
"""


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


def short(value: float) -> str:
    """At most four digits, without an exponent where that is readable."""
    if value and not 1e-3 <= abs(value) < 1e6:  # noqa: PLR2004
        return f"{value:.3g}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004


def colour(index: int) -> str:
    """One of six, in turn."""
    return COLOURS[index % len(COLOURS)]


class Axes:
    """A frame with scales; shapes are added to it."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], x_label: str, y_label: str
    ) -> None:
        self._x = x if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        pad = (y[1] - y[0]) * 0.06 or abs(y[0]) * 0.05 or 1.0
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
                f'text-anchor="end">{short(value)}</text>'
            )
        # Bars are named one by one instead.
        for value in ticks(*self._x, 8) if x_label else ():
            at, _ = self._at(value, self._y[0])
            self._parts.append(
                f'<text x="{at:.1f}" y="{HEIGHT - _BOTTOM + 15}" '
                f'text-anchor="middle">{short(value)}</text>'
            )
        middle = (HEIGHT - _BOTTOM + _TOP) / 2
        self._parts.append(
            f'<text x="{(WIDTH + _LEFT) / 2}" y="{HEIGHT - 5}" text-anchor="middle">'
            f"{escape(x_label)}</text>"
            f'<text transform="translate(12,{middle}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>"
        )

    def line(
        self, x: Sequence[float], y: Sequence[float], index: int = 0, *, dashed: bool = False
    ) -> Axes:
        """Points joined by a line."""
        points = " ".join(
            "{:.1f},{:.1f}".format(*self._at(u, v)) for u, v in zip(x, y, strict=True)
        )
        dashes = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(
            f'<polyline fill="none" stroke="{colour(index)}" stroke-width="1.6"{dashes} '
            f'points="{points}"/>'
        )
        return self

    def points(
        self, x: Sequence[float], y: Sequence[float], index: int = 0, *, faint: bool = False
    ) -> Axes:
        """Points."""
        shade = f'fill="{colour(index)}"' + (' opacity="0.45"' if faint else "")
        for u, v in zip(x, y, strict=True):
            a, b = self._at(u, v)
            self._parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2" {shade}/>')
        return self

    def bar(
        self, x: float, y: float, low: float | None, high: float | None, index: int = 0
    ) -> Axes:
        """A bar with its interval; an end that is None is where the bar ends."""
        left, top = self._at(x - 0.3, y)
        right, bottom = self._at(x + 0.3, max(self._y[0], 0))
        self._parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" rx="2" '
            f'height="{max(bottom - top, 0):.1f}" fill="{colour(index)}" opacity="0.75"/>'
        )
        if low is not None or high is not None:
            self.whisker(x, y if low is None else low, y if high is None else high)
        return self

    def whisker(self, x: float, low: float, high: float) -> Axes:
        """From `low` to `high`, with caps."""
        middle, upper = self._at(x, high)
        _, lower = self._at(x, low)
        for y1, y2, half in ((upper, lower, 0), (upper, upper, 5), (lower, lower, 5)):
            self._parts.append(
                f'<line class="whisker" x1="{middle - half:.1f}" x2="{middle + half:.1f}" '
                f'y1="{y1:.1f}" y2="{y2:.1f}"/>'
            )
        return self

    def label(self, x: float, text: str) -> Axes:
        """A name below the axis."""
        at, _ = self._at(x, self._y[0])
        return self._text(at, HEIGHT - _BOTTOM + 16, text)

    def value(self, x: float, y: float) -> Axes:
        """The number of a bar, inside its foot."""
        at, _ = self._at(x, self._y[0])
        return self._text(at, HEIGHT - _BOTTOM - 6, short(y))

    def text(self, x: float, text: str) -> Axes:
        """Words in the middle of the height."""
        at, _ = self._at(x, self._y[0])
        return self._text(at, HEIGHT / 2, text)

    def legend(self, entries: Sequence[tuple[str, int]]) -> Axes:
        """Names of colours, at the top left."""
        for row, (name, index) in enumerate(entries):
            y = _TOP + 10 + 14 * row
            self._parts.append(
                f'<rect x="{_LEFT + 8}" y="{y - 8}" width="9" height="9" rx="2" '
                f'fill="{colour(index)}"/>'
            )
            self._text(_LEFT + 22, y, name, "start")
        return self

    def _text(self, x: float, y: float, text: str, anchor: str = "middle") -> Axes:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )
        return self

    @property
    def content(self) -> str:
        """The shapes alone."""
        return "".join(self._parts)

    def svg(self, title: str) -> str:
        """The whole plot; `title` is read out by screen readers."""
        return (
            f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'xmlns="http://www.w3.org/2000/svg">{self.content}</svg>'
        )


def shares(rows: Sequence[tuple[str, Sequence[tuple[str, float]], float | None]]) -> str:
    """Horizontal bars made of named parts, each row on a scale of its own total.

    Parameters
    ----------
    rows : sequence of (name, parts, total)
        Parts are (name, size); `total` is the end of the scale, or None for their sum.
    """
    height, out = 46 * len(rows) + 4, []
    for row, (name, parts, total) in enumerate(rows):
        top, x, used = 46 * row + 4, float(_LEFT), sum(size for _, size in parts)
        scale = (WIDTH - _LEFT - _RIGHT) / (max(total or 0, used) or 1)
        out.append(
            f'<text x="{_LEFT - 6}" y="{top + 15}" text-anchor="end">{escape(name)}</text>'
        )
        out.append(
            f'<rect x="{_LEFT}" y="{top}" width="{WIDTH - _LEFT - _RIGHT}" height="22" rx="3" '
            'fill="rgba(128,128,128,.16)"/>'
        )
        said = []
        for index, (part, size) in enumerate(parts):
            out.append(
                f'<rect x="{x:.1f}" y="{top}" width="{max(size * scale, 0.5):.1f}" height="22" '
                f'fill="{colour(index)}" opacity="0.8"/>'
            )
            x += size * scale
            said.append(f'<tspan fill="{colour(index)}">&#9632;</tspan> {escape(part)} '
                        f"{short(size)} KB")  # fmt: skip
        if total is not None and total > used:
            said.append(f"{short(total - used)} KB of {short(total)} KB free")
        out.append(f'<text x="{_LEFT}" y="{top + 36}">{" &#160; ".join(said)}</text>')
    return (
        f'<svg role="img" aria-label="Memory" viewBox="0 0 {WIDTH} {height}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(out)}</svg>'
    )


def stacked(panels: Sequence[Axes], title: str) -> str:
    """Plots below one another as a file of its own."""
    groups = "".join(
        f'<g transform="translate(0,{HEIGHT * index})">{panel.content}</g>'
        for index, panel in enumerate(panels)
    )
    return (
        f'<svg class="holdfast" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT * len(panels)}" xmlns="http://www.w3.org/2000/svg" '
        f'style="background:#fff;color:#111;font:11px system-ui,sans-serif">'
        f"<style>.grid{{stroke:#ddd}}.whisker{{stroke:#111}}</style>{groups}</svg>"
    )
