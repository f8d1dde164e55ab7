"""Which key the evidence speaks for: one weight vector for major, one for minor, the same for all twelve tonics.

A multinomial logistic regression over 24 keys, beside the published key profiles. `benchmarks/train_key.py` makes the
numbers; how, and what they reach on held-out music, stands in `docs/decisions/0011-how-a-key-is-heard.md`.
"""

import numpy as np
from numpy.typing import NDArray

Evidence = NDArray[np.float64]

#: Row by row of `tonality.evidence`, for every degree of the scale (semitones above the tonic).
MAJOR = np.array(
    [
        [0.90, 3.33, -0.76, -2.00, -5.86, 1.65, 3.25, -6.83, 5.63, 0.37, 5.16, -4.84],
        [3.68, 2.14, 2.35, -4.32, 4.36, -3.54, -0.35, -4.04, 1.30, 0.98, -6.93, 4.36],
        [5.77, -4.78, 1.43, -6.54, 0.85, -2.68, 2.45, -1.91, -1.12, -0.58, 0.49, 6.63],
        [-0.10, 0.10, -0.90, 0.92, -0.18, 0.18, 0.29, -0.15, -0.77, 0.33, -1.20, 1.48],
        [2.22, -0.50, 0.19, 0.69, -0.20, -0.62, 0.24, 1.14, 0.79, -0.06, -3.75, -0.15],
        [4.74, 0.14, -4.03, -0.92, 0.73, 1.16, 0.87, 3.83, 0.24, -6.05, -1.14, 0.44],
        [14.26, -6.04, -6.13, -5.54, -1.60, 1.35, 5.83, 6.35, 4.45, 0.05, -7.66, -5.31],
        [-1.36, -3.52, 12.02, 0.82, 2.98, -4.12, -7.35, -1.61, 2.19, 0.87, 1.81, -2.73],
    ]
)
MINOR = np.array(
    [
        [-3.15, 4.56, -6.10, -3.36, 0.75, 2.18, 0.58, -3.58, 4.37, 4.48, 0.56, -1.30],
        [-0.49, -5.86, 2.01, 3.91, -2.02, -0.44, -6.05, 3.58, 2.58, 0.50, 2.67, -0.40],
        [-2.13, -7.64, 0.79, -0.49, -5.84, 3.01, 3.68, -0.54, -2.92, 1.71, 11.69, -1.31],
        [0.54, -1.52, 0.35, -0.91, -0.17, 0.51, 0.96, -0.95, -0.47, 1.50, -0.19, 0.35],
        [3.68, 1.81, 0.71, 0.52, -2.24, -4.46, -0.14, 0.09, -0.76, 2.47, 0.13, -1.82],
        [6.24, -2.90, 0.08, 3.27, 0.92, -2.32, 0.01, 0.95, -2.13, -1.02, 0.06, -3.16],
        [8.50, -2.17, -6.44, 2.87, -3.88, -4.26, 2.27, 3.73, -5.50, -1.87, 3.86, 2.89],
        [16.34, -4.51, 0.23, -5.42, -4.18, 7.56, -4.09, -2.17, 2.10, -10.88, -6.50, 11.50],
    ]
)
MINOR_BIAS = -0.765

#: What the correlation with the published profiles adds to the scores. They were counted in written music, and keep the
#: weights from taking habits of the training set for music: chosen by what is reached on sources left out of training.
PROFILE_WEIGHT = 3.0

#: Odds that the best key is right, from its odds against the other 23: `exp(SLOPE * log_odds + OFFSET)`.
SLOPE, OFFSET = 0.676, 0.258


def inputs(evidence: Evidence) -> Evidence:
    """Compress evidence and take the mean of each row away, `[shape=(8, 12)]`: a flat row says nothing."""
    root = np.sqrt(evidence)
    centred: Evidence = root - root.mean(axis=1, keepdims=True)
    return centred


def scores(evidence: Evidence, fits: Evidence) -> Evidence:
    """Logarithmic likelihood of each key up to a constant, `[shape=(2, 12)]`: major and minor, tonics from C.

    Parameters
    ----------
    evidence
        As `tonality.evidence` gives it.
    fits
        As `tonality.profile_fits` gives it.
    """
    compressed = inputs(evidence)
    turned = np.stack([np.roll(compressed, -tonic, axis=1).ravel() for tonic in range(12)])
    learnt = np.stack([turned @ MAJOR.ravel(), turned @ MINOR.ravel() + MINOR_BIAS])
    together: Evidence = learnt + PROFILE_WEIGHT * fits
    return together


def log_odds(scores: Evidence) -> float:
    """Logarithm of the odds of the best key against all others, by the model's own account."""
    ordered = np.sort(scores, axis=None)
    rivals = ordered[:-1] - ordered[-1]
    return -float(np.log(np.sum(np.exp(rivals))))


def confidence(scores: Evidence) -> float:
    """Probability that the best key is right, calibrated on held-out music (Platt scaling), 0 to 1."""
    return float(1.0 / (1.0 + np.exp(-(SLOPE * log_odds(scores) + OFFSET))))
