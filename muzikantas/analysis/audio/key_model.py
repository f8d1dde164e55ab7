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
        [4.55, 0.82, -0.05, -5.20, -1.78, 1.68, 0.38, 0.74, 5.52, -0.13, -2.07, -4.45],
        [7.14, -1.03, 2.06, -6.46, 6.63, 1.87, -7.48, 8.38, -2.63, -1.05, -12.59, 5.16],
        [10.16, -6.31, 1.41, -9.69, 10.82, 2.78, -5.38, 7.21, -3.28, -3.58, -10.58, 6.46],
        [0.52, -0.43, -0.43, 0.24, 0.41, 0.02, -0.61, 0.48, -0.38, -0.08, -1.05, 1.32],
        [7.23, -2.57, 1.04, -0.67, -0.73, -1.44, -1.88, 1.72, -0.82, -0.70, -3.83, 2.64],
        [6.17, 0.12, -3.29, 0.00, 2.94, -0.55, 2.36, 3.36, -1.94, -5.01, -3.81, -0.36],
    ]
)
MINOR = np.array(
    [
        [1.54, -2.92, -5.36, 1.41, 0.65, 1.20, -0.65, 4.14, 2.39, 1.88, -2.63, -1.67],
        [9.32, -10.99, 0.41, 13.18, -11.58, -2.49, 0.26, 13.32, -2.65, -8.87, -5.84, 5.92],
        [2.85, -11.98, 4.30, 10.72, -13.05, -0.89, 1.20, 12.72, -4.05, -6.73, 3.47, 1.43],
        [1.04, -1.73, 0.87, -0.61, -0.71, 0.13, 0.50, -0.13, -0.60, -0.51, 0.60, 1.13],
        [7.91, -0.81, 3.12, 1.88, -1.20, -3.09, -1.81, -0.64, -3.18, -3.64, -0.98, 2.43],
        [7.57, -2.56, 0.59, 4.39, -1.78, -3.87, 0.52, 2.87, -2.11, -3.99, -0.47, -1.17],
    ]
)
MINOR_BIAS = -0.350

#: What the correlation with the published profiles adds to the scores. They were counted in written music, and keep the
#: weights from taking habits of the training set for music: chosen by what is reached on sources left out of training.
PROFILE_WEIGHT = 6.0

#: Odds that the best key is right, from its odds against the other 23: `exp(SLOPE * log_odds + OFFSET)`.
SLOPE, OFFSET = 0.754, 0.003


def inputs(evidence: Evidence) -> Evidence:
    """Compress evidence and take the mean of each row away, `[shape=(6, 12)]`: a flat row says nothing."""
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
