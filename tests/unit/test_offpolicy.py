import json
import math

import numpy as np
import pytest

from muzikantas.analysis.history import Observation
from muzikantas.analysis.offpolicy import Comparison, as_content, estimate, without_exploring
from muzikantas.analysis.planning import as_item, choose, style_of
from muzikantas.cli.performance_outcomes import in_words
from muzikantas.domain.errors import InputError
from muzikantas.domain.style import DIMENSIONS, StyleSpace
from muzikantas.models.insight import EvolutionPlan
from muzikantas.tasks.learning import without_exploring as told


def test_the_same_policy_earns_the_mean() -> None:
    found = estimate([1.0, 2.0, 6.0], [0.5, 0.2, 0.1], [0.5, 0.2, 0.1])
    assert found is not None
    assert [found.value, found.effective] == pytest.approx([3.0, 3.0])
    # √(Σ (y - ȳ)²) / n = √(4 + 1 + 9) / 3
    assert found.error == pytest.approx(np.sqrt(14) / 3)


def test_weights_are_ratios_of_propensities() -> None:
    # w = 0.8 / 0.4, 0.1 / 0.2: 2 and 0.5; value (2 · 1 + 0.5 · 6) / 2.5; effective 2.5² / 4.25
    found = estimate([1.0, 6.0], [0.4, 0.2], [0.8, 0.1])
    assert found is not None
    assert found.value == pytest.approx(2.0)
    assert found.effective == pytest.approx(6.25 / 4.25)
    assert not found.shown


def test_a_known_policy_is_found_again() -> None:
    rng = np.random.default_rng(440)
    arms = np.array([4.0, 5.0, 7.0])
    logged, target = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.2, 0.7])
    chosen = rng.choice(3, 4000, p=logged)
    found = estimate((arms[chosen] + rng.normal(0, 1, 4000)).tolist(), logged[chosen].tolist(), target[chosen].tolist())
    assert found is not None
    assert found.shown
    assert abs(found.value - target @ arms) < 3 * found.error
    # Σ w² / n tends to Σ target² / logged = 0.01 / 0.6 + 0.04 / 0.3 + 0.49 / 0.1 = 5.05
    assert found.effective == pytest.approx(4000 / 5.05, rel=0.1)


def test_a_policy_that_never_chose_so_is_not_estimated() -> None:
    assert estimate([1.0, 2.0], [0.5, 0.5], [0.0, 0.0]) is None
    assert estimate([], [], []) is None


def test_following_the_best_guess_is_the_mean_of_the_slots_that_did() -> None:
    outcomes, logged = [5.0, 6.0] * 11 + [1.0], [0.9] * 22 + [0.0]  # a plan rounds small chances
    found = without_exploring(outcomes, logged)
    assert isinstance(found, Comparison)
    assert found.value == pytest.approx(5.5)
    assert found.effective == pytest.approx(22.0)
    assert found.earned == pytest.approx((22 * 5.5 + 1.0) / 23)
    assert found.releases == 23


@pytest.mark.parametrize(
    ("logged", "why"),
    [
        ([], "sample size is 0.0 and must pass 20 (0 releases"),
        ([0.9] * 19 + [0.01] * 3, "sample size is 19.0 and must pass 20 (22 releases"),
        ([0.9] * 18 + [0.01], "1 of which explored"),
        ([0.01] * 30, "30 of which explored"),
        ([0.9] * 30, "all 30 releases"),
    ],
)
def test_too_little_is_said_with_how_far_it_is(logged: list[float], why: str) -> None:
    found = without_exploring([1.0] * len(logged), logged)
    assert isinstance(found, str)
    assert why in found


def test_what_is_shown_has_its_interval_and_what_is_not_its_reason() -> None:
    shown = Comparison(value=5.5, error=0.1, effective=31.4, earned=5.5 - math.log(2), releases=33)
    said = in_words(shown)
    assert "would have had 2.00 times the streams (95 %: 1.64 to 2.43), as 33 releases say" in said
    assert as_content(shown)["without_exploring"]["effective"] == 31.4
    assert as_content("too few") == {"without_exploring": None, "without_exploring_lacks": "too few"}
    assert in_words("too few") == "too few"


def test_the_plans_log_enough_for_it_to_be_told_one_day() -> None:
    """Eight slots a cycle with the policy itself: the chances that its plans store lead to an estimate."""
    space = StyleSpace(tuple(f"genre {n}" for n in range(8)), DIMENSIONS)
    rng = np.random.default_rng(7)
    plans: list[EvolutionPlan] = []
    seen: list[Observation] = []
    answers: list[Comparison | str] = []
    for cycle in range(1, 11):
        chosen = choose("learned", seen, space, 8, cycle=cycle, seed=cycle)
        plans.append(EvolutionPlan(policy="learned", items=json.loads(json.dumps([as_item(p) for p in chosen]))))
        for item, proposal in zip(plans[-1].items, chosen, strict=True):
            assert item["propensity"] == proposal.propensity
            asked = style_of(item)
            outcome = 5 + asked.values[1] + rng.normal(0, 0.5)
            seen.append(Observation(cycle=cycle, asked=asked, realised=asked, outcome=outcome, id=len(seen) + 1))
        answers.append(told(plans, seen))
    assert isinstance(answers[0], str)
    assert isinstance(answers[-1], Comparison)
    assert 60 < answers[-1].effective <= answers[-1].releases == 72  # the first cycle filled the space
    fixed = [EvolutionPlan(policy="fixed", items=plan.items) for plan in plans]
    assert isinstance(told(fixed, seen), str)


@pytest.mark.parametrize(
    ("outcomes", "logged", "target"),
    [([1.0], [0.0], [0.5]), ([1.0], [1.2], [0.5]), ([1.0, 2.0], [0.5], [0.5]), ([1.0], [0.5], [-0.1])],
)
def test_impossible_propensities_are_named(outcomes: list[float], logged: list[float], target: list[float]) -> None:
    with pytest.raises(InputError, match="propensities"):
        estimate(outcomes, logged, target)
