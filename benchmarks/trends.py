"""How right forecasts of charts are, on a part of each file that nothing was fitted to, beside two simple forecasts.

The last 120 days of each file are held out. From each of their dates the position of every track on the chart is
predicted 14 days ahead (a track that left counts as the position below the last), and the date of its best position
within 28 days. Peers: everything stays as it is; a straight line through the last 14 days goes on.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._charts import made_up
from muzikantas.analysis import trends
from muzikantas.analysis.charts import chart_of, read_chart
from muzikantas.analysis.moments import Fates, Moments, fates, moments
from muzikantas.analysis.trajectories import Array, Trajectories, trajectories

HELD_OUT_DAYS = 120
#: Steps that the straight line is laid through.
LINE_STEPS = 14


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """The held-out part of a chart: moments, what became of them, and which of them can be judged."""

    at: Moments
    became: Fates
    position_known: np.ndarray[tuple[int], np.dtype[np.bool_]]


def main() -> None:
    """Fit each chart's past, score its future, and print the errors."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trends", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="daily chart files; without any, charts that are made up")
    parser.add_argument("--json", action="store_true", help="the last line of standard output is one JSON object")
    parser.add_argument("--seed", type=int, default=1, help="of the forest, and of charts that are made up")
    given = parser.parse_args()
    charts = (
        {_name(path): _read(path) for path in given.files}
        if given.files
        else {country: made_up(country, seed=given.seed) for country in ("AA", "BB")}
    )
    found = {name: _judge(name, charts, given.seed) for name in charts}
    figures = {**_over_all(list(found.values())), "made_up": not given.files, "countries": found}
    print(json.dumps(figures, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


def _name(path: Path) -> str:
    return f"{chart_of(path.name).country} {chart_of(path.name).chart}"


def _read(path: Path) -> Trajectories:
    rows = [row for row in read_chart(path.read_text(encoding="utf-8"), path.name) if isinstance(row, dict)]
    return trajectories(rows)


def _judge(name: str, charts: dict[str, Trajectories], seed: int) -> dict[str, Any]:
    """Fit the past of a chart, with the others' past beside it, and score its future."""
    chart = charts[name]
    others = [other for label, other in charts.items() if label != name]
    cut = len(chart.seen) - 1 - HELD_OUT_DAYS // chart.pace.days
    model = trends.fit(chart, others, np.random.default_rng(seed), until=cut)
    held = _held(chart, cut)
    found = _scores(chart, held, model)
    abroad = [other for other in others if other.off == chart.off and other.pace == chart.pace]
    if abroad:
        found["foreign_error"] = _foreign_error(chart, abroad, cut, held, seed)
    sys.stderr.write(
        f"{name}: {found['error']:.2f} positions (persistence {found['persistence_error']:.2f}, line "
        f"{found['linear_error']:.2f}), intervals hold {found['coverage']:.1%}\n"
    )
    return found


def _held(chart: Trajectories, cut: int) -> Held:
    at = moments(chart, since=cut + 1)
    last = len(chart.seen) - 1
    later = np.minimum(at.steps + chart.pace.ahead, last)
    return Held(
        at=at,
        became=fates(chart, at),
        position_known=(at.steps + chart.pace.ahead <= last) & chart.seen[later],
    )


def _scores(chart: Trajectories, held: Held, model: trends.Model) -> dict[str, Any]:
    ranges = model.ranges(held.at)
    now, slope = held.at.features[:, 0], _slopes(chart, held.at)
    known, tracks = held.position_known, held.at.tracks[held.position_known]
    true, peak_step = held.became.position[known], held.became.peak_step[held.became.known]
    middle, low, high = (part[known] for part in ranges[trends.POSITION])
    line = np.clip(np.round(now + slope * chart.pace.ahead), 1, chart.off)[known]
    errors = {
        "": np.abs(middle - true),
        "persistence_": np.abs(now[known] - true),
        "linear_": np.abs(line - true),
    }
    days = {
        "": ranges[trends.PEAK_STEP][0],
        "persistence_": np.zeros(len(now)),
        "linear_": _line_peak(now, slope, chart.pace.window),
    }
    peaks = {
        f"{who}peak_days_error": round(float(np.abs(step[held.became.known] - peak_step).mean()) * chart.pace.days, 3)
        for who, step in days.items()
    }
    return {
        "forecasts": int(known.sum()),
        **{f"{who}error": round(float(error.mean()), 3) for who, error in errors.items()},
        "error_se": _clustered_se(errors[""], tracks),
        "gain_se": _clustered_se(errors["persistence_"] - errors[""], tracks),
        "coverage": round(float(((low <= true) & (true <= high)).mean()), 4),
        "interval_width": round(float((high - low).mean()), 2),
        "peak_forecasts": int(held.became.known.sum()),
        **peaks,
        **_peak_coverage(ranges, held.became),
    }


def _peak_coverage(ranges: list[Any], became: Fates) -> dict[str, float]:
    targets = became.targets()[became.known]
    names = {"peak_coverage": trends.PEAK, "peak_days_coverage": trends.PEAK_STEP, "stay_coverage": trends.STAY}
    held = {}
    for name, k in names.items():
        _, low, high = (part[became.known] for part in ranges[k])
        held[name] = round(float(((low <= targets[:, k]) & (targets[:, k] <= high)).mean()), 4)
    return held


def _slopes(chart: Trajectories, at: Moments) -> Array:
    """Positions a step of the least-squares line through the last steps; off the chart counts as below its last."""
    x = np.arange(LINE_STEPS) - (LINE_STEPS - 1) / 2
    back = at.steps[:, None] - np.arange(LINE_STEPS)[::-1]
    slopes: Array = chart.positions[at.tracks[:, None], back] @ x / (x @ x)
    return slopes


def _line_peak(now: Array, slope: Array, window: int) -> Array:
    """Steps until a line that climbs is at position 1, at most the window; one that falls has its peak now."""
    climb = np.maximum(-slope, 1e-9)
    return np.where(slope < 0, np.minimum(np.round((now - 1) / climb), window), 0.0)


def _foreign_error(chart: Trajectories, abroad: list[Trajectories], cut: int, held: Held, seed: int) -> float:
    """Score a model that knows the past of other countries only."""
    first, *rest = abroad
    end = (chart.day(cut) - first.first).days // first.pace.days
    model = trends.fit(first, rest, np.random.default_rng(seed), until=min(end, len(first.seen) - 1))
    middle = model.ranges(held.at)[trends.POSITION][0]
    known = held.position_known
    return round(float(np.abs(middle - held.became.position)[known].mean()), 3)


def _clustered_se(values: Array, tracks: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """Standard error of a mean whose values come in tracks: forecasts of one track share its fate."""
    _, cluster = np.unique(tracks, return_inverse=True)
    sums = np.bincount(cluster, weights=values - values.mean())
    return round(float(np.sqrt((sums**2).sum())) / len(values), 3)


def _over_all(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the plain mean over countries: each weighs the same."""
    shared = [key for key in found[0] if all(key in each for each in found) and not key.endswith("_se")]
    counts = {"forecasts", "peak_forecasts"}
    means = {key: round(float(np.mean([each[key] for each in found])), 4) for key in shared if key not in counts}
    errors = [each["error_se"] for each in found]
    return {
        **means,
        "error_se": round(float(np.sqrt(np.sum(np.square(errors)))) / len(found), 3),
        **{key: sum(each[key] for each in found) for key in counts},
    }


if __name__ == "__main__":
    main()
