import numpy as np
import pytest

from muzikantas.analysis.offpolicy import estimate, without_exploring
from muzikantas.domain.errors import InputError


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
    found = without_exploring([5.0, 6.0, 1.0], [0.9, 0.9, 0.01])
    assert found is not None
    assert found.value == pytest.approx(5.5)
    assert found.effective == pytest.approx(2.0)
    assert without_exploring([5.0, 6.0], [0.9, 0.9]) is None


@pytest.mark.parametrize(
    ("outcomes", "logged", "target"),
    [([1.0], [0.0], [0.5]), ([1.0], [1.2], [0.5]), ([1.0, 2.0], [0.5], [0.5]), ([1.0], [0.5], [-0.1])],
)
def test_impossible_propensities_are_named(outcomes: list[float], logged: list[float], target: list[float]) -> None:
    with pytest.raises(InputError, match="propensities"):
        estimate(outcomes, logged, target)
