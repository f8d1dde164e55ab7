"""The pictures of a market: ways through a chart, shares with intervals, forecasts against what came."""

from collections.abc import Sequence

from markupsafe import Markup

from muzikantas.report.charts import element
from muzikantas.report.market_view import Checked, Share, Way

WAY_WIDTH, WAY_HEIGHT = 300.0, 56.0
#: Share of the picture that the past takes; the rest is for what is expected.
PAST = 0.8
SQUARE, LEFT, BOTTOM, INSET = 320.0, 34.0, 40.0, 8.0


def way(track: Way, off: int) -> Markup:
    """Draw a track's positions and, behind the line of today, the interval two weeks ahead."""

    def y(position: float) -> float:
        return round(3 + (position - 1) / max(off - 1, 1) * (WAY_HEIGHT - 6), 1)

    known = [(k, position) for k, position in enumerate(track.positions)]
    width = WAY_WIDTH * PAST / max(len(known) - 1, 1)
    pieces: list[list[str]] = [[]]
    for k, position in known:
        if position is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{k * width:.1f},{y(position)}")
    today, ahead = WAY_WIDTH * PAST, WAY_WIDTH * (PAST + (1 - PAST) * 0.6)
    label = f"positions of {len(known)} dates; now {track.now}, expected {track.expected} ({track.low} to {track.high})"
    marks = [
        element("line", x1=0, x2=WAY_WIDTH, y1=y(1), y2=y(1), class_="grid"),
        element("line", x1=0, x2=WAY_WIDTH, y1=y(off), y2=y(off), class_="grid"),
        element("line", x1=today, x2=today, y1=0, y2=WAY_HEIGHT, class_="grid"),
        *(element("polyline", points=" ".join(piece), class_="path") for piece in pieces if len(piece) > 1),
        element("line", x1=ahead, x2=ahead, y1=y(track.low), y2=y(track.high), class_="whisker"),
        element("circle", cx=today, cy=y(track.now), r=3.2, class_="now"),
        element("circle", cx=ahead, cy=y(track.expected), r=4, class_="mean-dot"),
    ]
    return element("svg", *marks, viewBox=f"0 0 {WAY_WIDTH:g} {WAY_HEIGHT:g}", role="img", aria_label=label)


def share(found: Share, reach: float) -> Markup:
    """Draw a share as a dot on its interval; it stretches with its cell."""
    low, high, dot = (round(100 * value / reach, 2) for value in (found.low, found.high, found.share))
    marks = [
        element("line", x1=0, x2=0, y1=0, y2=24, class_="zero"),
        element("line", x1=low, x2=high, y1=12, y2=12, class_="interval"),
        element("line", x1=dot, x2=dot, y1=12, y2=12, class_="estimate"),
    ]
    return element("svg", *marks, viewBox="0 0 100 24", preserveAspectRatio="none", class_="effect", aria_hidden="true")


def came(checked: Sequence[Checked], off: int) -> Markup:
    """Draw what came (upwards) against what was expected (to the right), each with its interval; 1 is at the top."""

    def place(position: float) -> float:
        return (position - 1) / (off - 1) * (SQUARE - LEFT - INSET)

    def x(position: float) -> float:
        return round(LEFT + place(position), 1)

    def y(position: float) -> float:
        return round(INSET + place(position), 1)

    ticks = sorted({1, round(off / 2), off - 1})
    marks = [
        element("line", x1=x(1), y1=y(1), x2=x(off), y2=y(off), class_="grid"),
        *(element("text", str(n), x=LEFT - 8, y=y(n) + 4, class_="axis end") for n in ticks),
        *(element("text", str(n), x=x(n), y=SQUARE - BOTTOM + 50, class_="axis middle") for n in ticks),
        *(
            element("line", x1=x(c.expected), x2=x(c.expected), y1=y(c.low), y2=y(c.high), class_="reach")
            for c in checked
        ),
        *(_dot(c, x(c.expected), y(c.came)) for c in checked),
        element("text", "expected", x=(LEFT + SQUARE) / 2, y=SQUARE + 30, class_="axis middle"),
    ]
    label = f"what came against what was expected, of {len(checked)} tracks"
    return element("svg", *marks, viewBox=f"0 0 {SQUARE:g} {SQUARE + 36:g}", role="img", aria_label=label)


def _dot(checked: Checked, x: float, y: float) -> Markup:
    words = f"{checked.title}: expected {checked.expected}, came {checked.came}"
    kind = "track" if checked.low <= checked.came <= checked.high else "missed"
    return element("circle", element("title", words), cx=x, cy=y, r=3.4, class_=kind)
