"""A line chart as one self-contained SVG: panels side by side, every line named where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import chain, cycle

import numpy as np
from numpy.typing import NDArray

from emseg.output.charts.label_placement import Label, place
from emseg.output.pictures.oklab import oklab, srgb
from emseg.output.pictures.palette import palette
from emseg.records import record

Array = NDArray[np.float64]
PANEL = (460, 430)  # pixels inside the axes
LEFT, GAP, RIGHT, TOP, BOTTOM = 64, 176, 112, 124, 64  # around and between panels
DASHES = ("", "7 4", "1.5 4")  # pixels on and off: a new pattern each time that the hues are used up
HUES = 7  # the named colours of the palette that people with any colour vision tell apart
LIGHTEST = 0.68  # Oklab lightness that still shows on white
STYLE = """
text { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #5b6470; font-size: 12px }
.title { font-size: 21px; font-weight: 600; fill: #1d232b }
.subtitle { font-size: 13px }
.panel { font-size: 14px; font-weight: 600; fill: #1d232b }
.grid { stroke: #e6e9ed; stroke-width: 1 }
.axis { stroke: #8d96a1; stroke-width: 1 }
.line path { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }
.line .leader { stroke-width: 0.8; opacity: 0.55 }
.line circle { stroke: #fff; stroke-width: 1 }
.line text { font-weight: 600; paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round }
.line:hover path { stroke-width: 4 }
"""


@record(frozen=True)
class Line:
    """A named line through finite points; `note` is what a pointer resting on it shows."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    note: str = ""


@record(frozen=True)
class Panel:
    """Lines that share axes. On a logarithmic axis what is smaller than its least value is drawn there."""

    title: str
    x_label: str
    lines: Sequence[Line]
    log_x: bool = False
    log_y: bool = False
    least_y: float | None = None


@record(frozen=True)
class Axis:
    """Maps data from `low` to `high` to positions from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: Sequence[float] | Array) -> Array:
        """Positions of values, those outside at the nearer end."""
        low, high, data = (np.asarray(v, float) for v in (self.low, self.high, values))
        data = np.clip(data, low, high)
        if self.log:
            low, high, data = np.log(low), np.log(high), np.log(data)
        return np.asarray(self.start + (data - low) / (high - low) * (self.end - self.start))

    def ticks(self) -> dict[float, str]:
        """Round values inside the axis and how they are written: about five, or powers of ten."""
        if self.log:
            first, last = np.ceil(np.log10(self.low) - 1e-9), np.floor(np.log10(self.high) + 1e-9)
            powers = np.arange(first - 1, last + 1, max(1, -(-(last - first) // 8)))
            within = (1, 2, 5) if last - first < 3 else (1,)
            values = {m * 10.0**p: _power(int(p), m) for p in powers for m in within}
            return {v: text for v, text in values.items() if self.low * 0.999 <= v <= self.high * 1.001}
        rough = (self.high - self.low) / 5
        unit = 10.0 ** np.floor(np.log10(rough))
        step = unit * next(m for m in (1, 2, 5, 10) if m * unit >= rough)
        digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        steps = np.arange(np.ceil(self.low / step - 1e-9), np.floor(self.high / step + 1e-9) + 1)
        return {
            float(i * step): f"{i * step + 0.0:,.{digits}f}".replace("-", "−").replace(",", "\u202f") for i in steps
        }


def chart_svg(title: str, subtitle: str, panels: Sequence[Panel]) -> bytes:
    """Draw panels from left to right; a line of one name has one colour in all of them.

    The first line is black. The others have the colours of the label map, which the colour-blind tell apart. Those that
    are too light for a white ground are darkened.
    """
    names = list(dict.fromkeys(line.name for panel in panels for line in panel.lines))
    lab = oklab(palette(HUES)[1:])
    lab[:, 0] = np.minimum(lab[:, 0], LIGHTEST)
    looks = [("#" + bytes(rgb).hex(), dash) for dash in DASHES for rgb in srgb(lab)]
    look = dict(zip(names, chain([("#000000", "")], cycle(looks)), strict=False))
    width = LEFT + len(panels) * PANEL[0] + (len(panels) - 1) * GAP + RIGHT
    height = TOP + PANEL[1] + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img"><title>{_text(title)}</title><style>{STYLE}</style>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="24" y="40">{_text(title)}</text>',
        f'<text class="subtitle" x="24" y="64">{_text(subtitle)}</text>',
        *(_panel(panel, LEFT + i * (PANEL[0] + GAP), look) for i, panel in enumerate(panels)),
        "</svg>\n",
    ]
    return "\n".join(parts).encode()


def _panel(panel: Panel, left: int, look: dict[str, tuple[str, str]]) -> str:
    right, bottom = left + PANEL[0], TOP + PANEL[1]
    x = _axis([line.x for line in panel.lines], left, right, panel.log_x)
    y = _axis([line.y for line in panel.lines], bottom, TOP, panel.log_y, panel.least_y)
    parts = [f'<g><text class="panel" x="{left}" y="{TOP - 18}">{_text(panel.title)}</text>']
    for value, text in y.ticks().items():
        at = y([value])[0]
        parts.append(f'<path class="grid" d="M{left},{at:.1f}H{right}"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    for value, text in x.ticks().items():
        at = x([value])[0]
        parts.append(f'<path class="grid" d="M{at:.1f},{TOP}V{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 20}" text-anchor="middle">{text}</text>')
    parts.append(f'<path class="axis" d="M{left},{bottom}H{right}"/>')
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 44}" text-anchor="middle">{_text(panel.x_label)}</text>')
    curves = [np.stack([x(line.x), y(line.y)], axis=1).round(1) for line in panel.lines]
    room = (left, TOP - 6, right + RIGHT - 12, bottom)
    labels = place([line.name for line in panel.lines], curves, room)
    drawn = [_line(*each, look[each[0].name]) for each in zip(panel.lines, curves, labels, strict=True)]
    return "\n".join([*parts, *reversed(drawn), "</g>"])


def _line(line: Line, curve: Array, label: Label, look: tuple[str, str]) -> str:
    colour, dash = look
    moved = np.ones(len(curve), bool)
    moved[1:] = (curve[1:] != curve[:-1]).any(1)
    path = "M" + " ".join(f"{px:g},{py:g}" for px, py in curve[moved])
    px, py = curve[-1]
    note = f"<title>{_text(line.note)}</title>" if line.note else ""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    to_x, to_y = label.leader_end
    leader = f'<path class="leader" stroke="{colour}" d="M{px:g},{py:g} {to_x:g},{to_y:g}"/>'
    return (
        f'<g class="line">{note}<path stroke="{colour}"{dashed} d="{path}"/>{leader if label.needs_leader else ""}'
        f'<circle cx="{px:g}" cy="{py:g}" r="3.5" fill="{colour}"/>'
        f'<text x="{label.x:g}" y="{label.y:g}" style="fill:{colour}">{_text(line.name)}</text></g>'
    )


def _axis(values: Sequence[Sequence[float]], start: float, end: float, log: bool, least: float | None = None) -> Axis:
    """An axis that holds all values, with some room on linear ones and whole decades upwards from `least`."""
    data = np.concatenate([np.asarray(v, float) for v in values])
    data = data[np.isfinite(data) & ((data > 0) | (not log))]
    low, high = (float(data.min()), float(data.max())) if data.size else (1.0, 10.0)
    if least is not None:
        low, high = least, 10 ** np.ceil(np.log10(max(high, 10 * least)))
    if log:
        return Axis(low, max(high, 1.0001 * low), start, end, True)
    margin = 0.04 * (high - low) or 0.5 * abs(low) or 1.0
    return Axis(low - margin, high + margin, start, end)


def _power(p: int, times: int = 1) -> str:
    if 0 <= p <= 4:
        return f"{times * 10**p}"
    power = "10" + str(p).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if times == 1 else f"{times}·{power}"


def _text(text: str) -> str:
    """Text that is safe in XML, whatever a file is called."""
    return escape("".join(c if c.isprintable() else "\ufffd" for c in text))
