"""A change of persona or prompts as an experiment: its tracks beside those of the version before, and a stop rule.

The difference in log outcome is estimated with what else moves an outcome in the same model: the style that was heard,
a level of the market that wanders from cycle to cycle, and luck. So a bold style is not taken for a bad persona, nor a
weak week for a weak prompt; and what the version before did in earlier cycles counts as far as the level has stayed
where it was.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, exp, log

import numpy as np
from scipy import stats
from scipy.linalg import cho_factor, cho_solve

from muzikantas.analysis.history import Array, History, Observation, arrange
from muzikantas.analysis.taste import Basis
from muzikantas.domain.style import StyleSpace

#: A change that loses this share of the streams is to be taken back: "at least 10 % worse".
LOSS = 0.1
#: Probability of harm above which a change is taken back: before the third cycle of an experiment, at the third, and
#: later. The rule looks every cycle, and experiment follows experiment. Most of the false reverts that it may make are
#: spent on the third look: it knows more than those before it, and large harm should go on no longer. What was measured
#: stands in `docs/howto/evolution.md`.
SOON, REVERT_EARLY_ABOVE, REVERT_SOON_ABOVE, REVERT_ABOVE = 3, 0.85, 0.7, 0.93
#: The second of them for artists with so few tracks a cycle: else they would hardly ever see harm in time.
FEW, REVERT_FEW_ABOVE = 5, 0.6
#: Probability of being better above which a change stays before its time.
ADOPT_ABOVE = 0.95
#: No verdict before so many tracks of each version have an outcome, or tracks of both in so many cycles.
LEAST_TRACKS, LEAST_CYCLES = 6, 2
#: After so many cycles a change that nothing speaks against stays: another one waits for its turn.
LONGEST = 8
#: Releases that are read, newest last; the level of the market wanders, so older ones say little about it.
MEMORY = 120
#: Standard deviations of luck that are weighed against each other.
LUCK_SDS = (0.25, 0.4, 0.6, 0.85, 1.15, 1.6, 2.3)
#: How the market's level may move: the step between two cycles, a jump while the experiment runs, and how often each
#: is expected. Without the jump a market that turns just then would be taken for the change's fault.
MOVES = ((0.03, 0.0, 0.25), (0.1, 0.0, 0.35), (0.3, 0.0, 0.15), (0.8, 0.0, 0.05), (0.1, 1.5, 0.2))
#: How large a change may be before data, in log units, and how often: nearly nothing, or a lot.
CHANGES = ((0.1, 0.35), (1.2, 0.65))
#: The effect that an operator would wish to see, and the chance of seeing it.
WORTH_SEEING, POWER = 1.2, 0.8


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the tracks say about a change so far, in log units of the outcome.

    Parameters
    ----------
    new, old
        Tracks of each version with an outcome, made since the experiment began.
    cycles
        Cycles that were made since it began.
    estimate, low, high
        Difference (new minus old) and its 95 % interval, by the tracks alone.
    worse
        Probability that the new version loses at least 10 % of the streams; most changes are held to do nothing.
    better
        Probability that it is better at all.
    luck_sd
        Expected standard deviation of luck in one track.
    """

    new: int
    old: int
    cycles: int
    estimate: float
    low: float
    high: float
    worse: float
    better: float
    luck_sd: float


@dataclass(frozen=True, kw_only=True)
class Running:
    """Neither is sure enough: the experiment goes on."""

    evidence: Evidence
    reason: str


@dataclass(frozen=True, kw_only=True)
class Adopt:
    """The new version stays: it is better, or nothing speaks against it after the longest time."""

    evidence: Evidence
    reason: str


@dataclass(frozen=True, kw_only=True)
class Revert:
    """The version before comes back."""

    evidence: Evidence
    reason: str


Verdict = Running | Adopt | Revert


def verdict(
    observations: Sequence[Observation], new: Collection[int], space: StyleSpace, *, began: int, cycle: int
) -> Verdict:
    """Judge an experiment by what has been heard when `cycle` is about to be made.

    Parameters
    ----------
    observations
        The artist's releases, earlier ones too, but for those of versions that were taken back.
    new
        Ids of the releases that the new version made.
    space
        The artist's style space.
    began
        The first cycle that both versions made tracks in.
    cycle
        The cycle that is about to be made.
    """
    evidence = weigh(observations, new, space, began=began, cycle=cycle)
    heard = _heard_cycles(observations, new, began)
    if min(evidence.new, evidence.old) >= LEAST_TRACKS or heard >= LEAST_CYCLES:
        if evidence.worse > _bound(observations, began, evidence.cycles):
            return Revert(evidence=evidence, reason=_said(evidence, "taken back"))
        if evidence.better > ADOPT_ABOVE:
            return Adopt(evidence=evidence, reason=_said(evidence, "kept: it does better"))
    if evidence.cycles >= LONGEST:
        kept = f"kept after {evidence.cycles} cycles: nothing speaks against it, which does not show that it helps"
        return Adopt(evidence=evidence, reason=_said(evidence, kept))
    return Running(evidence=evidence, reason=_said(evidence, "undecided"))


def interleave(
    genres: Sequence[str], expected: Sequence[float], *, cycle: int, rng: np.random.Generator
) -> tuple[bool, ...]:
    """Deal a cycle's slots to the two versions; True: the new one.

    Slots that are alike (of one genre, with the nearest expectations) make a pair, and a coin decides within each pair:
    neither version gets the better styles. A slot without a partner goes to each version in turn.
    """
    order = sorted(range(len(genres)), key=lambda i: (genres[i], expected[i], i))
    dealt = [False] * len(genres)
    for first, second in zip(order[::2], order[1::2], strict=False):
        dealt[first if rng.random() < 0.5 else second] = True
    if len(order) % 2:
        dealt[order[-1]] = cycle % 2 == 1
    return tuple(dealt)


def tracks_needed(luck_sd: float, ratio: float = WORTH_SEEING) -> int:
    """Tracks of each version that a change by `ratio` needs to be seen at 80 % power and 5 % two-sided error.

    n = 2 (z₀.₉₇₅ + z₀.₈)² sd² / ln(ratio)², the usual size of a comparison of two means.

    >>> tracks_needed(1.1), tracks_needed(1.1, exp(-1.4))
    (572, 10)
    """
    z = float(stats.norm.ppf(0.975) + stats.norm.ppf(POWER))
    return ceil(2 * (z * luck_sd / log(ratio)) ** 2)


def power_in_words(luck_sd: float) -> str:
    """Say what an experiment of this artist can show, and what it cannot."""
    return (
        f"With luck of {luck_sd:.1f} in log streams, a change by +20 % needs about {tracks_needed(luck_sd)} tracks of "
        "each version to be seen; an experiment of a few cycles sees large harm only."
    )


def weigh(
    observations: Sequence[Observation], new: Collection[int], space: StyleSpace, *, began: int, cycle: int
) -> Evidence:
    """Give the posterior of the change's effect, averaged over how loud luck is and how far the level wanders."""
    heard = sorted((o for o in observations if o.weight > 0), key=lambda o: (o.cycle, o.id or 0))[-MEMORY:]
    history = arrange(heard, space)
    mine = np.array([each in new for each in history.ids], dtype=float)
    parts = _parts(history, mine, space, began)
    running = history.cycle >= began
    mean, sd = parts[:, 1], parts[:, 2]
    shares = _shares(parts[:, 0])
    # Shown is what the tracks say; that most changes do nearly nothing is for the stop rule to weigh.
    large = _shares(np.where(parts[:, 4] == CHANGES[-1][0], parts[:, 0], -np.inf))
    estimate = float(large @ mean)
    reach = 1.96 * float(np.sqrt(large @ (sd**2 + (mean - estimate) ** 2)))
    return Evidence(
        new=int(np.sum(running & (mine > 0))),
        old=int(np.sum(running & (mine == 0))),
        cycles=max(cycle - began, 0),
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        worse=float(shares @ stats.norm.cdf((log(1 - LOSS) - mean) / sd)),
        better=float(shares @ stats.norm.sf((0.0 - mean) / sd)),
        luck_sd=float(shares @ parts[:, 3]),
    )


def _shares(evidence: Array) -> Array:
    """Turn log evidence into weights that add up to one."""
    shares: Array = np.exp(evidence - evidence.max())
    shares /= shares.sum()
    return shares


def _parts(history: History, mine: Array, space: StyleSpace, began: int) -> Array:
    """Rows of (log evidence, mean and standard deviation of the effect, luck, size), one for each point of the grid."""
    if history.heard == 0:
        return np.array([[log(share), 0.0, size, luck, size] for size, share in CHANGES for luck in LUCK_SDS])
    basis = Basis.of(space)
    belief = basis.belief()
    design = basis.rows(history.genre, history.realised, np.zeros(history.heard))
    surprise = history.outcome - design @ belief.mean
    style = (design * belief.sd**2) @ design.T
    together = np.minimum.outer(history.cycle, history.cycle) - history.cycle.min()  # covariance of a random walk
    during = np.minimum.outer(history.cycle, history.cycle) >= began
    rows = []
    for luck in LUCK_SDS:
        for step, jump, share in MOVES:
            covariance = style + step**2 * together + jump**2 * during + np.diag(luck**2 / history.weight)
            rows += [(log(share) + fit, *rest) for fit, *rest in _given(covariance, surprise, mine, luck)]
    return np.array(rows)


def _given(covariance: Array, surprise: Array, mine: Array, luck: float) -> list[tuple[float, ...]]:
    """Effect of the change for one covariance of everything else: conjugate, one Gaussian for each size of change."""
    factor = cho_factor(covariance, lower=True, check_finite=False)
    solved = cho_solve(factor, np.column_stack([surprise, mine]), check_finite=False)
    information, score = float(mine @ solved[:, 1]), float(mine @ solved[:, 0])
    fit = -0.5 * float(surprise @ solved[:, 0]) - float(np.log(np.diag(factor[0])).sum())
    found: list[tuple[float, ...]] = []
    for size, share in CHANGES:
        precision = information + size**-2
        evidence = log(share) + fit + 0.5 * score**2 / precision - 0.5 * log(precision * size**2)
        found.append((evidence, score / precision, precision**-0.5, luck, size))
    return found


def _bound(observations: Sequence[Observation], began: int, cycles: int) -> float:
    """Give the probability of harm above which a change is taken back, by age and tracks made."""
    if cycles != SOON:
        return REVERT_EARLY_ABOVE if cycles < SOON else REVERT_ABOVE
    made = sum(o.cycle >= began for o in observations)
    return REVERT_FEW_ABOVE if made <= FEW * cycles else REVERT_SOON_ABOVE


def _heard_cycles(observations: Sequence[Observation], new: Collection[int], began: int) -> int:
    """Count the cycles of the experiment in which tracks of both versions have an outcome."""
    heard = [o for o in observations if o.weight > 0 and o.cycle >= began]
    return len({o.cycle for o in heard if o.id in new} & {o.cycle for o in heard if o.id not in new})


def _said(evidence: Evidence, what: str) -> str:
    """Write a verdict in one line, with what it stands on."""
    return (
        f"{what}; {evidence.new} new and {evidence.old} old tracks heard, streams times {exp(evidence.estimate):.2f} "
        f"({exp(evidence.low):.2f} to {exp(evidence.high):.2f}), P(at least 10 % worse) {evidence.worse:.2f}, "
        f"P(better) {evidence.better:.2f}"
    )
