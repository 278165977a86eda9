# SPDX-License-Identifier: GPL-2.0
"""A picture of what a packet takes against the number of connections, as SVG."""

import math
import statistics
from xml.sax.saxutils import escape

import results

STOCK, OURS, INK, FAINT, PAPER = "#b5543c", "#1f6f8b", "#22262b", "#d9dde2", "#ffffff"
FONT = "font-family='DejaVu Sans, Helvetica, Arial, sans-serif'"
WIDTH, PANEL, TOP, LEFT = 1100, 300, 110, 78
PANEL_WIDTH, GAP = 440, 90


def added(result, setup, row):
    """(connections, instructions added) of a row, in order."""
    none = statistics.median(result[results.without(setup)][row]["0"])
    return sorted((int(size), statistics.median(values) - none)
                  for size, values in result[setup][row].items())


def text(x, y, what, size=13, colour=INK, anchor="start", weight="normal"):
    """A line of text."""
    return (f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' text-anchor='{anchor}' "
            f"font-weight='{weight}' {FONT}>{escape(what)}</text>")


def step_of(top):
    """A round distance of lines, of which some four fit under `top`."""
    rough = top / 4
    scale = 10 ** math.floor(math.log10(rough))
    return next(scale * n for n in (1, 2, 2.5, 5, 10) if scale * n >= rough)


def count(number):
    """A number of connections, short."""
    for unit, sign in ((1_000_000, " million"), (1000, ",000")):
        if number >= unit and number % unit == 0:
            return f"{number // unit}{sign}"
    return f"{number:,}"


def panel(x, y, title, stock, ours):
    """One row: two lines over the same axes."""
    sizes = sorted({size for size, _ in stock + ours})
    most = max(value for _, value in stock + ours)
    step = step_of(most * 1.12)
    top = step * math.ceil(most * 1.12 / step)
    low, high = math.log10(sizes[0]), max(math.log10(sizes[-1]), math.log10(sizes[0]) + 1)

    def across(size):
        return x + 24 + (PANEL_WIDTH - 48) * (math.log10(size) - low) / (high - low)

    def up(value):
        return y + PANEL - PANEL * max(value, 0) / top

    parts = [text(x, y - 18, title, 15, weight="bold")]
    value = 0
    while value <= top:
        parts.append(f"<line x1='{x}' x2='{x + PANEL_WIDTH}' y1='{up(value):.1f}' y2='{up(value):.1f}' "
                     f"stroke='{INK if value == 0 else FAINT}' stroke-width='1'/>")
        parts.append(text(x - 8, up(value) + 4, f"{value:,.0f}", 12, anchor="end"))
        value += step
    for size in sizes:
        parts.append(text(across(size), y + PANEL + 20, count(size), 12, anchor="middle"))
    for points, colour, below in ((stock, STOCK, False), (ours, OURS, True)):
        way = " ".join(f"{across(size):.1f},{up(value):.1f}" for size, value in points)
        parts.append(f"<polyline points='{way}' fill='none' stroke='{colour}' stroke-width='2.5' "
                     "stroke-linejoin='round'/>")
        for size, value in points:
            # The number stands on the side where the other line is not.
            other = dict(ours if points is stock else stock).get(size, 0)
            under = value < other or (value == other and below)
            parts.append(f"<circle cx='{across(size):.1f}' cy='{up(value):.1f}' r='4' fill='{colour}'/>")
            parts.append(text(across(size), up(value) + (19 if under else -10), f"{value:,.0f}", 12, colour, "middle"))
    return parts


def draw(stock, ours, note):
    """The whole picture; only rows that both sides have, at more than one size."""
    panels = [(setup, row) for setup in ("ct", "masquerade", "flowtable") for row in ours.get(setup, {})
              if row in stock.get(setup, {}) and len(ours[setup][row]) > 1]
    lines = (len(panels) + 1) // 2
    height = TOP + lines * (PANEL + 100) + 6
    parts = ["<!-- SPDX-License-Identifier: GPL-2.0 -->",
             f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}'>",
             f"<rect width='{WIDTH}' height='{height}' fill='{PAPER}'/>",
             text(28, 36, "What connection tracking adds to a forwarded packet", 21, weight="bold"),
             text(28, 60, f"Instructions, by the number of connections in the table; {note}, counted exactly (QEMU -icount)"),
             ]
    for at, (name, colour) in enumerate((("stock", STOCK), ("ours", OURS))):
        parts.append(f"<rect x='{WIDTH - 190 + 90 * at}' y='25' width='14' height='14' rx='2' fill='{colour}'/>")
        parts.append(text(WIDTH - 170 + 90 * at, 37, name, 14, colour, weight="bold"))
    for at, (setup, row) in enumerate(panels):
        title = f"{row} flows" + {"masquerade": ", masqueraded", "flowtable": ", flowtable (from the device it comes in by)"}.get(setup, "")
        parts += panel(LEFT + (PANEL_WIDTH + GAP) * (at % 2), TOP + 20 + (PANEL + 100) * (at // 2), title,
                       added(stock, setup, row), added(ours, setup, row))
    return "\n".join(parts + ["</svg>"]) + "\n"
