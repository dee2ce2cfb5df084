"""Curves as inline SVG: small panels, one measure each, readable without scripts.

In: points (step, value). Out: an `<svg>` string with axes, tick labels, every point with a
tooltip, and a running mean where there are many points.

    chart("Success", [(1, 0.31), (2, 0.35)], low=0.0, high=1.0)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import fmean

Point = tuple[float, float]

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 48, 10, 10, 34
MAX_POINTS = 400
SMOOTH_FROM = 15
"""Points from which a running mean is drawn."""


def chart(
    title: str,
    points: Sequence[Point],
    *,
    low: float | None = None,
    high: float | None = None,
    whole: bool = False,
) -> str:
    """Draw one panel. `low` and `high` widen the value axis to at least that range; `whole` puts
    its ticks at whole numbers only."""
    shown = _thin(points, thinned(len(points)))
    ticks_y = _ticks(
        min([y for _, y in shown] + ([] if low is None else [low])),
        max([y for _, y in shown] + ([] if high is None else [high])),
        whole=whole,
    )
    ticks_x = _ticks(shown[0][0], shown[-1][0], whole=True)
    frame = _Frame(ticks_x, ticks_y)
    first, last = points[0], points[-1]
    summary = f"{title}: {_plain(first[1])} at step {_plain(first[0])}, "
    summary += f"{_plain(last[1])} at step {_plain(last[0])}, {len(points)} points"
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" '
        f'aria-label="{escape(summary)}">',
        *frame.axes(),
        _line("raw", [frame.at(p) for p in shown]),
    ]
    if len(shown) >= SMOOTH_FROM:
        parts.append(_line("mean", [frame.at(p) for p in running_mean(shown)]))
    for point in shown:
        x, y = frame.at(point)
        label = f"step {_plain(point[0])}: {_plain(point[1])}"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"><title>{label}</title></circle>')
    parts.append("</svg>")
    return "".join(parts)


def thinned(count: int) -> int:
    """How many steps each drawn point stands for."""
    return max(1, math.ceil(count / MAX_POINTS))


def running_mean(points: Sequence[Point]) -> list[Point]:
    """Mean over a centred window of about a tenth of the points."""
    half = max(2, len(points) // 20)
    values = [y for _, y in points]
    return [(x, fmean(values[max(0, i - half) : i + half + 1])) for i, (x, _) in enumerate(points)]


def window(count: int) -> int:
    """Width of the running mean's window over `count` points."""
    return 2 * max(2, count // 20) + 1


class _Frame:
    """Maps values to places in the picture."""

    def __init__(self, ticks_x: list[float], ticks_y: list[float]) -> None:
        self.ticks_x, self.ticks_y = ticks_x, ticks_y

    def at(self, point: Point) -> Point:
        x0, x1, y0, y1 = self.ticks_x[0], self.ticks_x[-1], self.ticks_y[0], self.ticks_y[-1]
        x = LEFT + (WIDTH - LEFT - RIGHT) * (point[0] - x0) / (x1 - x0)
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - (point[1] - y0) / (y1 - y0))
        return x, y

    def axes(self) -> list[str]:
        """Grid lines, tick labels and the name of the step axis."""
        parts = []
        for value in self.ticks_y:
            y = self.at((self.ticks_x[0], value))[1]
            parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_plain(value)}</text>'
            )
        bottom = HEIGHT - BOTTOM
        for value in self.ticks_x:
            x = self.at((value, self.ticks_y[0]))[0]
            parts.append(f'<path class="axis" d="M{x:.1f} {bottom}v4"/>')
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_plain(value)}</text>'
            )
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">step</text>')
        parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>')
        return parts


def _thin(points: Sequence[Point], every: int) -> list[Point]:
    """Means of `every` neighbouring points."""
    if every == 1:
        return list(points)
    return [
        (fmean(x for x, _ in points[i : i + every]), fmean(y for _, y in points[i : i + every]))
        for i in range(0, len(points), every)
    ]


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Four to seven round values that enclose `low` and `high`."""
    size = max(abs(low), abs(high))
    if high - low <= max(1e-9 * size, 1e-12):
        pad = 1.0 if whole or size < 1e-6 else size * 0.1
        low, high = low - pad * (not whole), high + pad
    step = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(step * m for m in (1, 2, 2.5, 5, 10) if (high - low) / (step * m) <= 6)
    if whole:
        step = max(1.0, math.ceil(step))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]


def _line(name: str, places: Sequence[Point]) -> str:
    return f'<path class="{name}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in places)}"/>'


def _plain(value: float) -> str:
    """A number without needless digits."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")
