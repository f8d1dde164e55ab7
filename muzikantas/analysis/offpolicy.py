"""What another way of choosing would have earned, from the releases that were chosen and how likely each choice was."""

from collections.abc import Sequence
from dataclasses import dataclass

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


def without_exploring(outcomes: Sequence[float], logged: Sequence[float]) -> Estimate | None:
    """Estimate what following the best guess in every slot would have earned; None where no slot has explored."""
    follows = [float(p > FOLLOWS) for p in logged]
    return estimate(outcomes, logged, follows) if 0 < sum(follows) < len(follows) else None
