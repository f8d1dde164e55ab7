"""Loudness as a broadcaster measures it."""

import numpy as np
import pyloudnorm

from muzikantas.analysis.audio.decode import Samples

#: The channels of 5.1 in the order of WAV files (left, right, centre, LFE, surrounds) without the LFE, which
#: BS.1770 leaves out.
FIVE_ONE, FIVE_ONE_WITHOUT_LFE = 6, (0, 1, 2, 4, 5)


def main_channels(samples: Samples) -> Samples:
    """Drop the low-frequency effects channel of a 5.1 recording, `[shape=(channels, n)]`; others stay as they are."""
    return samples[list(FIVE_ONE_WITHOUT_LFE)] if len(samples) == FIVE_ONE else samples


def integrated_lufs(samples: Samples, sample_rate: int) -> float:
    """Integrated loudness in LUFS after ITU-R BS.1770-4 (K-weighting, both gates); silence is -inf.

    Two equal channels are 3 LU above one of them, by definition.

    Parameters
    ----------
    samples
        `[shape=(channels, n)]`, at least 0.4 s. The standard knows at most five channels; more are folded to mono.
    """
    channels = samples if len(samples) <= 5 else samples.mean(axis=0, keepdims=True)
    with np.errstate(divide="ignore"):  # silence is log(0): -inf is the answer
        return float(pyloudnorm.Meter(sample_rate).integrated_loudness(channels.T))
