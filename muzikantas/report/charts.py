"""The pictures, as SVG of our own: they take the page's fonts and colours, light or dark, and carry their words.

Coordinates are CSS pixels at the width that a picture is made for; a page shows the variant that fits its window.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from muzikantas.analysis.claims import Effect
from muzikantas.report.curve import Curve, Point
from muzikantas.report.view import Habit
from muzikantas.report.words import TIMES, many, number

#: Streams that an axis may name, in steps that look even on a logarithmic scale.
COARSE = tuple(n * 10**k for k in range(9) for n in (1, 3))
FINE = tuple(n * 10**k for k in range(9) for n in (1, 2, 3, 5, 7))
#: Side of a small square, and the room for its dots' halves.
SQUARE, INSET = 120.0, 6.0


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The inside of a chart: where a cycle and an outcome are drawn."""

    width: float
    height: float
    cycles: tuple[int, int]
    outcomes: tuple[float, float]

    left, right, top, bottom = 52.0, 12.0, 14.0, 44.0

    def x(self, cycle: float) -> float:
        """Horizontal place of a cycle, each with an equal share of the width."""
        first, last = self.cycles
        share = (cycle - first + 0.5) / (last - first + 1)
        return round(self.left + share * (self.width - self.left - self.right), 1)

    def y(self, outcome: float) -> float:
        """Vertical place of an outcome."""
        low, high = self.outcomes
        share = (outcome - low) / (high - low)
        return round(self.height - self.bottom - share * (self.height - self.top - self.bottom), 1)


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Write an SVG element; values and text are escaped, `_` in a name stands for `-` (`class_` for `class`).

    >>> element("text", "a < b", x=1, class_="axis")
    Markup('<text x="1" class="axis">a &lt; b</text>')
    """
    names = {key: key.rstrip("_").replace("_", "-") for key in attributes}
    written = Markup().join(Markup(' {}="{}"').format(names[key], value) for key, value in attributes.items())
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, Markup().join(children))  # noqa: S704 (names are ours)


def learning_curve(curve: Curve, label: str, *, width: float, height: float) -> Markup:
    """Draw the mean outcome a cycle with its standard error, and each track as a dot. `label` is its text."""
    frame = _frame(curve, width, height)
    marks = [
        *_grid(frame),
        *_cycle_labels(frame, curve.points),
        _band(frame, curve.points),
        *(_dot(frame, point, outcome, k) for point in curve.points for k, outcome in enumerate(point.outcomes)),
        element("polyline", points=_path([(frame.x(p.cycle), frame.y(p.mean)) for p in curve.points]), class_="mean"),
        *(element("circle", cx=frame.x(p.cycle), cy=frame.y(p.mean), r=5, class_="mean-dot") for p in curve.points),
    ]
    return element("svg", *marks, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=label)


def _frame(curve: Curve, width: float, height: float) -> Frame:
    """Fit the axes around all tracks and bands, with a margin."""
    values = [outcome for point in curve.points for outcome in point.outcomes]
    values += [p.mean + side * (p.error or 0.0) for p in curve.points for side in (-1, 1)]
    low, high = min(values), max(values)
    margin = max((high - low) * 0.08, 0.1)
    cycles = (curve.points[0].cycle, curve.points[-1].cycle)
    return Frame(width=width, height=height, cycles=cycles, outcomes=(low - margin, high + margin))


def stream_ticks(low: float, high: float) -> list[int]:
    """Give stream counts between two outcomes (log1p) that an axis names: a few, evenly spread.

    >>> stream_ticks(2, 7)
    [10, 30, 100, 300, 1000]
    """
    coarse = [n for n in COARSE if low <= math.log1p(n) <= high]
    return coarse if len(coarse) > 2 else [n for n in FINE if low <= math.log1p(n) <= high]


def _grid(frame: Frame) -> list[Markup]:
    right = frame.width - frame.right
    marks = []
    for streams in stream_ticks(*frame.outcomes):
        y = frame.y(math.log1p(streams))
        marks.append(element("line", x1=frame.left, x2=right, y1=y, y2=y, class_="grid"))
        marks.append(element("text", number(streams), x=frame.left - 8, y=y + 4, class_="axis end"))
    return marks


def _cycle_labels(frame: Frame, points: Sequence[Point]) -> list[Markup]:
    """Name the cycles, as many as have room, and the axis."""
    first, last = frame.cycles
    step = math.ceil((last - first + 1) * 34 / (frame.width - frame.left - frame.right))
    y = frame.height - frame.bottom + 18
    names = [element("text", str(c), x=frame.x(c), y=y, class_="axis middle") for c in range(first, last + 1, step)]
    middle = (frame.left + frame.width - frame.right) / 2
    tracks = many(sum(len(point.outcomes) for point in points), "track")
    return [*names, element("text", f"cycle ({tracks})", x=middle, y=y + 20, class_="axis middle")]


def _band(frame: Frame, points: Sequence[Point]) -> Markup:
    """Draw the standard error around the means; a whisker at each cycle shows it where a band would be a line."""
    known = [(frame.x(p.cycle), p.mean - p.error, p.mean + p.error) for p in points if p.error is not None]
    around = [(x, frame.y(high)) for x, _, high in known] + [(x, frame.y(low)) for x, low, _ in reversed(known)]
    whiskers = [element("line", x1=x, x2=x, y1=frame.y(a), y2=frame.y(b), class_="whisker") for x, a, b in known]
    return element("g", element("polygon", points=_path(around), class_="band"), *whiskers)


def _dot(frame: Frame, point: Point, outcome: float, index: int) -> Markup:
    """Draw one track, a little beside its cycle's middle so that equal ones stay apart."""
    aside = (index - (len(point.outcomes) - 1) / 2) * min(7.0, 28 / len(point.outcomes))
    words = element("title", f"cycle {point.cycle}: {number(round(math.expm1(outcome)))} streams")
    return element(
        "circle", words, cx=round(frame.x(point.cycle) + aside, 1), cy=frame.y(outcome), r=3.2, class_="track"
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def effect_reach(effects: Sequence[Effect]) -> float:
    """Give the end of the effects' common axis, in log units: the next power of two that holds all intervals."""
    widest = max((max(abs(e.low), abs(e.high)) for e in effects), default=0.0)
    return math.log(2) * max(1, math.ceil(widest / math.log(2)))


def effect_ticks(reach: float) -> list[tuple[float, str]]:
    """Give the axis of effects: places from 0 to 100 and factors of streams.

    >>> [(place, text.lstrip(TIMES)) for place, text in effect_ticks(math.log(4))]
    [(0.0, '¼'), (25.0, '½'), (50.0, '1'), (75.0, '2'), (100.0, '4')]
    """
    top = round(reach / math.log(2))
    step = 1 if top <= 2 else top / 2 if top % 2 == 0 else top
    powers = [-top + k * step for k in range(round(2 * top / step) + 1)]
    return [(50 + 50 * power / top, f"{TIMES}{_power(round(power))}") for power in powers]


def _power(power: int) -> str:
    fractions = {-1: "½", -2: "¼", -3: "⅛"}
    return str(2**power) if power >= 0 else fractions.get(power, f"1/{2**-power}")


def interval(effect: Effect, reach: float) -> Markup:
    """Draw an effect as a dot on its 95 % interval; it stretches with its cell, its lines stay as thin as they are."""
    low, high, dot = (round(50 + 50 * value / reach, 2) for value in (effect.low, effect.high, effect.estimate))
    marks = [
        element("line", x1=50, x2=50, y1=0, y2=24, class_="zero"),
        element("line", x1=low, x2=high, y1=12, y2=12, class_="interval"),
        # A line without length and with round ends stays a circle, however the picture is stretched.
        element("line", x1=dot, x2=dot, y1=12, y2=12, class_="estimate"),
    ]
    kind = "effect sure" if effect.verdict == "supported" else "effect"
    return element("svg", *marks, viewBox="0 0 100 24", preserveAspectRatio="none", class_=kind, aria_hidden="true")


def scatter(habit: Habit) -> Markup:
    """Draw what was heard (upwards) against what was asked (to the right); on the diagonal the generator obeys."""
    label = (
        f"{habit.dimension}: heard against asked of {many(len(habit.pairs), 'track')}, "
        f"mean deviation {habit.bias:+.2f}, scatter {habit.spread:.2f}"
    )
    inner = SQUARE - 2 * INSET
    dots = [
        element(
            "circle",
            cx=round(INSET + asked * inner, 1),
            cy=round(SQUARE - INSET - heard * inner, 1),
            r=3.2,
            class_="track",
        )
        for asked, heard in habit.pairs
    ]
    box = element("rect", x=0.5, y=0.5, width=SQUARE - 1, height=SQUARE - 1, class_="box")
    diagonal = element("line", x1=INSET, y1=SQUARE - INSET, x2=SQUARE - INSET, y2=INSET, class_="grid")
    return element("svg", box, diagonal, *dots, viewBox=f"0 0 {SQUARE:g} {SQUARE:g}", role="img", aria_label=label)
