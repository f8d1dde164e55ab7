"""The page: a report and its sound laid out as one HTML file that needs no network."""

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from muzikantas.analysis.audio import EXTRACTOR
from muzikantas.analysis.reasons import WORDS
from muzikantas.domain.style import DIMENSIONS, tempo_bpm
from muzikantas.report import charts, words
from muzikantas.report.clips import SECONDS, Clip
from muzikantas.report.paper import environment
from muzikantas.report.view import Report

#: Cycles and versions of the profile that stand open; older ones unfold.
OPEN = 3
#: Of an artist whose market nobody has looked at.
NO_MARKET = Markup("")
WIDE, NARROW = (840.0, 360.0), (350.0, 300.0)


def render(report: Report, clips: Mapping[str, Clip], *, market: Markup = NO_MARKET) -> str:
    """Lay out a report; `clips` gives the preview of each audio key, `market` a section that is laid out already.

    Everything from outside is escaped.
    """
    sentence = words.learning(report.curve)
    sizes = (WIDE, NARROW) if report.curve.points else ()
    template = _environment().get_template("report.html")
    return template.render(
        report=report,
        clips=clips,
        clip_seconds=SECONDS,
        curves=[charts.learning_curve(report.curve, sentence, width=w, height=h) for w, h in sizes],
        sentence=sentence,
        reach=charts.effect_reach(report.findings.effects) if report.findings else 1.0,
        bars=list(enumerate(DIMENSIONS)),
        open_until=OPEN,
        extractor_now=EXTRACTOR,
        market=market,
    )


@cache
def _environment() -> Environment:
    return environment(charts=charts, words=words, tempo_bpm=tempo_bpm, direction=WORDS)
