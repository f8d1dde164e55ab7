"""What the learning benchmark says of its promises: the right figure against the right bar, and nothing unmeasured."""

from typing import Any

import numpy as np
import pytest

from benchmarks._learning import claimed, jobs
from benchmarks._learning.bounds import random_batch
from benchmarks._learning.shows import shows

MARKET = {
    "lift_log": 0.5,
    "lift_se": 0.1,
    "capture": 0.3,
    "best_peer": 0.2,
    "paired": 0.09,
    "paired_se": 0.05,
    "after_break_cycles": None,
}


def test_a_run_of_nothing_shows_nothing() -> None:
    assert shows({}) == {}
    assert shows({"base": {"lift_log": 0.0, "lift_se": 0.0}}) == {}


def test_figures_meet_their_bars_or_not() -> None:
    found = shows({"base": MARKET, "ridges": {"lift_log": -0.3, "lift_se": 0.2}})
    met = {name: row["met"] for name, row in found.items()}
    assert met == {
        "1 base: capture to 1.25 of the best peer's": True,
        "1 base: standard errors above the best guarded peer": False,  # 0.09 / 0.05 = 1.8
        "1 standard errors above random, in the worst scenario": False,  # -0.3 / 0.2 = -1.5
        "1 base: cycles to 80 % after the break": False,  # never
    }
    assert found["1 standard errors above random, in the worst scenario"]["scenario"] == "ridges"
    assert found["1 base: capture to 1.25 of the best peer's"]["bar"] == pytest.approx(0.25)


@pytest.mark.parametrize(("worse", "met"), [(0.0, True), (0.11, False)])
def test_what_must_stay_low_or_get_high(worse: float, *, met: bool) -> None:
    share = {"share": worse, "se": 0.01}
    found: dict[str, Any] = {
        "claims": {
            "null_claims_random": share,
            "null_claims_ours": share,
            "power": 0.9 - worse,
            "coverage": 0.95 - worse,
        },
        "cold_start": {"better": 0.3 - worse},
        "bad_persona": {"reverted_in_time": 0.9 - worse, "false_reverts_a_change": worse},
        "bad_reports": {"lost": worse, "lost_se": 0.05},
    }
    rows = shows(found)
    assert len(rows) == 8
    assert [row["met"] for name, row in rows.items() if not name.startswith("3")] == [met] * 7
    assert rows["3 cold start: better with what others learnt"]["met"] is (worse <= 0.1)


def test_jobs_of_neighbouring_seeds_share_no_career() -> None:
    first, second = (set(jobs._seeds(jobs.Job(scenario=jobs.CLAIMS, seed=seed), 30)) for seed in (7, 8))
    assert len(first) == len(second) == 30
    assert not first & second


def test_reports_are_shared_out_by_career_and_cycle() -> None:
    null = [[False, False, False, True], [False] * 4, [False] * 4, [False] * 4]
    ours = [[True] * 4, [False] * 4]
    report = claimed.Reported(claimed=True, false=0, covered=(True,) * 12)
    found: dict[str, Any] = claimed.summary(null, ours, [report, report])
    assert found["null_claims_all"] == pytest.approx(5 / 24, abs=1e-4)
    assert found["null_claims_random"]["share"] == pytest.approx(1 / 16, abs=1e-4)
    # Careers of 1/4, 0, 0 and 0: a standard deviation of 1/8, of four.
    assert found["null_claims_random"]["se"] == pytest.approx(1 / 16, abs=1e-4)
    assert found["null_claims_random"]["by_cycle"] == {"5": 0.0, "10": 0.0, "20": 0.0, "30": 0.25}
    assert found["null_claims_ours"]["careers_with_any"] == 0.5
    assert (found["power"], found["coverage"]) == (1.0, 1.0)


def test_a_career_without_taste_is_read_four_times() -> None:
    reports = claimed.null_career(random_batch, 3)
    assert len(reports) == len(claimed.READ_AT)
    assert np.sum(reports) <= 1
