"""Demand week by week: a part of it against the rest, and errors that last from one week to the next."""

import numpy as np

from muzikantas.analysis.trajectories import Array

#: Part of an average week that is added to every week, so that a week without demand has a logarithm.
FLOOR = 0.05


def log_odds(part: Array, whole: Array) -> Array:
    """Give a part's demand against that of all others, week by week: shares near the whole are not squeezed.

    Parameters
    ----------
    part, whole
        Demand by week, of shape `(weeks,)`; the whole is above zero.
    """
    floor = FLOOR * part.sum() / whole.sum() * whole
    odds: Array = np.log((part + floor) / (whole - part + floor))
    return odds


def whitened(values: Array, lasting: float) -> Array:
    """Take out of each week what it owes to the last one, the first week kept to scale (Prais, Winsten 1954)."""
    head = values[:1] * np.sqrt(1 - lasting**2)
    return np.concatenate([head, values[1:] - lasting * values[:-1]])


def lasting(rest: Array, columns: int) -> float:
    """Correlation of a week's error with the next one's, between 0 and 0.95.

    What `columns` of a design take out of so many weeks hides about (columns - 1 + 2 columns rho) / weeks of it.
    """
    rough = float(rest[1:] @ rest[:-1] / max(float(rest @ rest), 1e-12))
    return float(np.clip(rough + (columns - 1 + 2 * columns * max(rough, 0.0)) / len(rest), 0.0, 0.95))
