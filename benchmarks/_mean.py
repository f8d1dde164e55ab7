"""A mean and how sure it is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean over seeds or clips, and its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> "Mean":
        """Average `values` (shape `(n,)`); one alone has no error (NaN)."""
        numbers = np.asarray(values, dtype=float)
        error = numbers.std(ddof=1) / np.sqrt(numbers.size) if numbers.size > 1 else np.nan
        return cls(value=float(numbers.mean()), error=float(error))
