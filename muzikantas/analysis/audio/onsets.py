"""What begins or changes when, as curves over time: the evidence for tempo, beats and onsets."""

from itertools import pairwise

import numpy as np
import scipy.ndimage
from librosa.core.convert import mel_frequencies

from muzikantas.analysis.audio.spectrum import MEL_BANDS, SAMPLE_RATE, Array

#: Upper ends in Hz of the bands whose rises are judged apart: kick and bass, tenor, voices, snares and hats.
BAND_ENDS_HZ = (200.0, 800.0, 3200.0, SAMPLE_RATE / 2)

#: Middle of each mel band.
BAND_HZ = mel_frequencies(n_mels=MEL_BANDS + 2, fmax=SAMPLE_RATE / 2)[1:-1]

#: Frames and bands that are worked on at once: they fit into a processor's cache, and long recordings cost no memory.
BLOCK_FRAMES, ROWS = 512, 16

#: Chords and basses are looked for below these.
HARMONY_HZ, BASS_HZ = 2000.0, 260.0

#: Frames before and after an instant whose means are compared to find a change that stays.
STAY_FRAMES = 5

#: Coarse bands whose levels, not only rises, are compared with themselves (Foote & Uchihashi, ICME 2001).
COARSE_BANDS = 32


def curves_of(mel_power: Array, level_db: Array) -> tuple[Array, Array]:
    """Curves of what begins or changes when, `[shape=(8, frames)]`, and levels of coarse bands in dB.

    The first curve is the median rise over all bands in dB, with a little of the mean for pads and basses without a
    broadband attack; then the mean rises of four bands, the rise of loudness, and the lasting changes of harmony and of
    bass.

    Parameters
    ----------
    mel_power
        `[shape=(MEL_BANDS, frames)]`.
    level_db
        `spectrum.log_mel` of it.
    """
    count = level_db.shape[1]
    curves = np.empty((8, count), dtype=np.float32)
    peak = np.float32(max(float(mel_power.max(initial=0.0)), 1e-20))
    loud = np.empty(count, dtype=np.float32)
    for start in range(0, count, BLOCK_FRAMES):
        inside = slice(start, start + BLOCK_FRAMES)
        curves[:5, inside] = _rises(level_db[:, max(0, start - 1) : start + BLOCK_FRAMES], from_first=start == 0)
        loud[inside] = np.sqrt(np.sqrt(mel_power[:, inside] / peak)).sum(axis=0)
    curves[5] = np.maximum(np.diff(loud, prepend=loud[:1]), 0.0)
    curves[6:] = _lasting_changes(level_db)
    return curves, level_db.reshape(COARSE_BANDS, -1, count).mean(axis=1)


def _rises(level: Array, *, from_first: bool) -> Array:
    """Rises in dB: the median over all bands, and the means of four; `[shape=(5, frames)]`.

    Of the first frame only what follows it can rise, unless it is the recording's first.
    """
    before = level[:, :1] if from_first else level[:, :0]
    rise = np.diff(level, axis=1, prepend=before)
    np.maximum(rise, 0.0, out=rise)
    ends = np.searchsorted(BAND_HZ, BAND_ENDS_HZ)
    means = [rise[low:high].mean(axis=0) for low, high in zip([0, *ends[:-1]], ends, strict=True)]
    return np.stack([_median(rise) + np.float32(0.1) * rise.mean(axis=0), *means])


def _median(rise: Array) -> Array:
    """Median over the bands of each frame; sorting whole rows has a vectorised kernel, which selecting has not."""
    ordered = rise.T.copy()
    ordered.sort(axis=1)
    median: Array = 0.5 * (ordered[:, (MEL_BANDS - 1) // 2] + ordered[:, MEL_BANDS // 2])
    return median


def _lasting_changes(level: Array) -> Array:
    """Mean change between the moments before and after each frame, which a short click does not make.

    Of harmony and of bass, `[shape=(2, frames)]`.
    """
    half = STAY_FRAMES // 2 + 1
    changes = np.zeros((2, level.shape[1]), dtype=np.float32)
    bass, harmony = (int(place) for place in np.searchsorted(BAND_HZ, (BASS_HZ, HARMONY_HZ)))
    for low, high in pairwise((*range(0, bass, ROWS), *range(bass, harmony, ROWS), harmony)):
        mean = scipy.ndimage.uniform_filter1d(level[low:high], STAY_FRAMES, axis=1)
        change = np.abs(mean[:, 2 * half :] - mean[:, : -2 * half]).sum(axis=0)
        changes[0, half:-half] += change
        if high <= bass:
            changes[1, half:-half] += change
    changes /= np.array([[harmony], [bass]], dtype=np.float32)
    return changes
