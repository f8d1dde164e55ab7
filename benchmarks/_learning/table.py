"""The figures of a run: one object for machines, tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks._learning import claimed, persona, score
from benchmarks._learning.contest import ORACLE, OURS, PEERS, RANDOM
from benchmarks._learning.fourth_artist import Start
from benchmarks._learning.jobs import BAD_PERSONA, CLAIMS, COLD_START, Answer, Claims, Contest, Job, Personas
from benchmarks._learning.optimisers import missing
from benchmarks._learning.scenarios import MARKETS
from benchmarks._learning.shows import shows
from benchmarks._mean import Mean

BASE, NULL, BAD_REPORTS = "base", "null", "bad reports"


class Figures:
    """What was found, by scenario; answers in the order of their seeds, so that scenarios can be paired."""

    def __init__(self, answers: Sequence[tuple[Job, Answer]]) -> None:
        self.by_scenario: dict[str, list[Answer]] = {}
        for job, answer in sorted(answers, key=lambda each: each[0].seed):
            self.by_scenario.setdefault(job.scenario, []).append(answer)
        self.contests = {
            name: [each.curves for each in found if isinstance(each, Contest)]
            for name, found in self.by_scenario.items()
            if isinstance(found[0], Contest)
        }

    def as_object(self) -> dict[str, Any]:
        """Give everything; names of scenarios with underscores."""
        found: dict[str, Any] = {_key(name): self._ours(name) for name in self.contests}
        if BAD_REPORTS in self.contests and BASE in self.contests:
            found[_key(BAD_REPORTS)] |= self._lost()
        if CLAIMS in self.by_scenario:
            claims = self._claims()
            found |= {"null_claims": claims["null_claims_all"], CLAIMS: claims}
        if COLD_START in self.by_scenario:
            found[_key(COLD_START)] = _cold([each for each in self.by_scenario[COLD_START] if isinstance(each, Start)])
        if BAD_PERSONA in self.by_scenario:
            careers = [each for each in self.by_scenario[BAD_PERSONA] if isinstance(each, Personas)]
            found[_key(BAD_PERSONA)] = persona.summary(
                [trial for c in careers for trial in c.bad], [trials for c in careers for trials in c.harmless]
            )
        peers = {_key(name): self._others(name) for name in self.contests}
        return found | {"shows": shows(found), "peers": peers}

    def _ours(self, name: str) -> dict[str, Any]:
        """Our figures in one market, with the best peers of both kinds."""
        results = self.contests[name]
        found: dict[str, Any] = dict(score.figures(results, OURS, taste=_has_taste(name)))
        kinds = zip(("best_peer", "best_guarded_peer"), score.names(results), strict=True)
        for kind, among in kinds if _has_taste(name) else ():
            best = score.best(results, among)
            if best is not None:
                found[kind] = round(float(score.captures(results, best).mean()), 4)
                found[f"{kind}_name"] = best
                found |= {
                    key if kind == "best_guarded_peer" else f"{key}_to_best_peer": value
                    for key, value in score.ahead_of(results, best).items()
                }
        return found

    def _others(self, name: str) -> dict[str, Any]:
        """Give everybody's figures; the paired difference is ours minus theirs."""
        results = self.contests[name]
        taste = _has_taste(name)
        found: dict[str, Any] = {}
        for other in results[0]:
            if other != OURS:
                found[other] = score.figures(results, other, taste=taste)
                found[other] |= score.ahead_of(results, other) if taste and other not in (RANDOM, ORACLE) else {}
        if any(peer in found for peer in PEERS):
            found |= missing()
        return found

    def _lost(self) -> dict[str, float]:
        """Share of the capture that bad reports cost; pairs of the same seeds."""
        whole, poorer = (score.captures(self.contests[name], OURS) for name in (BASE, BAD_REPORTS))
        if len(whole) != len(poorer):
            return {}
        difference = Mean.of(poorer - whole)
        level = float(whole.mean())
        return {"lost": round(-difference.value / level, 4), "lost_se": round(difference.error / abs(level), 4)}

    def _claims(self) -> dict[str, Any]:
        parts = [each for each in self.by_scenario[CLAIMS] if isinstance(each, Claims)]
        ours = [each.reports for each in self.by_scenario.get(NULL, []) if isinstance(each, Contest)]
        ours += [career for part in parts for career in part.ours]
        null = [career for part in parts for career in part.null]
        return claimed.summary(null, ours, [report for part in parts for report in part.one_effect])


def text(found: Mapping[str, Any]) -> str:
    """Lay the same out for people."""
    lines = []
    for scenario, rows in found["peers"].items():
        lines += ["", f"{scenario:32}{'capture':>16}{'in log':>16}{'last third':>12}{'spread':>8}{'back':>6}{'s':>8}"]
        lines += [_line(name, row) for name, row in _ranked({OURS: found[scenario], **rows})]
    known = (_key(CLAIMS), _key(COLD_START), _key(BAD_PERSONA))
    lines += [f"\n{name}: {found[name]}" for name in known if name in found]
    lines += [f"\n{name}: {row}" for name, row in found["shows"].items()]
    return "\n".join([*lines, ""])


def _ranked(rows: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(rows.items(), key=lambda each: -each[1].get("capture", 0.0) if isinstance(each[1], dict) else 9.0)


def _line(name: str, row: dict[str, Any] | str) -> str:
    if isinstance(row, str):
        return f"  {name:30}{row}"
    captured = "capture" in row  # in a market without tastes there is nothing to capture
    pairs = (("capture", "se"), ("capture_log", "se_log")) if captured else (("lift_log", "lift_se"),)
    cells = ["" for _ in range(2 - len(pairs))] + [_pair(row, value, error) for value, error in pairs]
    back = row.get("after_break_cycles")
    third = row.get("last_third")
    rest = f"{'-' if third is None else third:>12}{row['spread']:>8.3f}{'-' if back is None else back:>6}"
    return f"  {name:30}" + "".join(f"{cell:>16}" for cell in cells) + rest + f"{row['seconds_a_decision']:>8.3f}"


def _pair(row: Mapping[str, Any], value: str, error: str) -> str:
    return f"{row[value]:.3f}" + (f" ± {row[error]:.3f}" if row[error] is not None else "")


def _cold(starts: Sequence[Start]) -> dict[str, Any]:
    """First cycles with and without what others learnt; `better` says by how much of the capture alone."""
    shared = np.array([each.captures(each.shared) for each in starts])
    alone = np.array([each.captures(each.alone) for each in starts])
    gained = [each.shared.streams.sum() / each.alone.streams.sum() for each in starts]
    difference = Mean.of(shared[:, 0] - alone[:, 0])
    in_log = Mean.of(shared[:, 1] - alone[:, 1])
    return {
        "with_prior": round(float(shared[:, 0].mean()), 4),
        "alone": round(float(alone[:, 0].mean()), 4),
        "better": round(difference.value / max(float(alone[:, 0].mean()), 1e-9), 4),
        "paired": round(difference.value, 4),
        "paired_se": round(difference.error, 4),
        "with_prior_log": round(float(shared[:, 1].mean()), 4),
        "alone_log": round(float(alone[:, 1].mean()), 4),
        "paired_log": round(in_log.value, 4),
        "paired_se_log": round(in_log.error, 4),
        "streams_gained": round(float(np.mean(gained)) - 1, 4),
    }


def _has_taste(scenario: str) -> bool:
    """Whether there is anything to capture."""
    return MARKETS[scenario].heights[1] > 0


def _key(name: str) -> str:
    return name.replace(" ", "_")
