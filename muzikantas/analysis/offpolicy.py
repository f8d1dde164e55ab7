"""What another way of choosing would have earned, from the releases that were chosen and how likely each choice was."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from muzikantas.domain.errors import InputError

#: Effective sample size below which nothing is said.
SHOWN_ABOVE = 20.0
#: A slot that follows the best guess has a larger propensity than this, one that explores a far smaller one.
FOLLOWS = 0.5


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The other policy's mean outcome, its standard error, and how many releases of its own that is worth."""

    value: float
    error: float
    effective: float

    @property
    def shown(self) -> bool:
        """Whether there is enough to say it aloud."""
        return self.effective > SHOWN_ABOVE


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What following the best guess in every slot would have earned, beside what was earned, in log units."""

    value: float
    error: float
    effective: float
    earned: float
    releases: int


def estimate(outcomes: Sequence[float], logged: Sequence[float], target: Sequence[float]) -> Estimate | None:
    """Weigh each outcome by how much likelier the other policy would have made that choice; None if it made none.

    Self-normalised inverse propensities (Swaminathan & Joachims 2015): Σwy / Σw with w = target / logged. The error is
    the delta method's, and the effective sample size (Σw)² / Σw² (Kish 1965). Raises `InputError` for a logged
    propensity outside (0, 1], or lists of different lengths.
    """
    y, p, q = (np.array(values, dtype=float) for values in (outcomes, logged, target))
    if not len(y) == len(p) == len(q) or not np.all((p > 0) & (p <= 1) & (q >= 0)):
        raise InputError(
            f"{len(y)} outcomes with {len(p)} propensities from {p.min(initial=1.0)} to {p.max(initial=0.0)} and "
            f"{len(q)} of the other policy; expected as many of each, the logged ones above 0 and at most 1"
        )
    weights = q / p
    total = float(weights.sum())
    if total == 0:
        return None
    value = float(weights @ y) / total
    error = float(np.linalg.norm(weights * (y - value))) / total
    return Estimate(value=value, error=error, effective=total**2 / float(weights @ weights))


def without_exploring(outcomes: Sequence[float], logged: Sequence[float]) -> Comparison | str:
    """Estimate what following the best guess in every slot would have earned, or say why that cannot be told yet.

    A slot that explored has no weight in it, so its propensity may be so small that a plan has rounded it to 0.
    """
    follows = [(y, p) for y, p in zip(outcomes, logged, strict=True) if p > FOLLOWS]
    releases, explored = len(outcomes), len(outcomes) - len(follows)
    found = estimate([y for y, _ in follows], [p for _, p in follows], [1.0] * len(follows))
    if found is not None and found.shown and explored:
        earned = sum(outcomes) / releases
        return Comparison(
            value=found.value, error=found.error, effective=found.effective, earned=earned, releases=releases
        )
    so_far = 0.0 if found is None else found.effective
    if so_far > SHOWN_ABOVE:
        why = f"all {releases} releases with an outcome followed it, so there is nothing to compare"
    else:
        why = (
            f"the effective sample size is {so_far:.1f} and must pass {SHOWN_ABOVE:.0f} ({releases} releases with an "
            f"outcome and a logged chance, {explored} of which explored)"
        )
    return f"What following the best guess in every slot would have earned cannot be told yet: {why}."


def as_content(found: Comparison | str) -> dict[str, Any]:
    """Write a comparison as JSON; where there is none, why."""
    lacks, numbers = (found, None) if isinstance(found, str) else (None, asdict(found))
    return {"without_exploring": numbers, "without_exploring_lacks": lacks}
