"""How a recording sounds apart from what it plays: a fixed-length vector for similarity, and spectral contrast."""

import numpy as np
import scipy.fft

from muzikantas.analysis.audio.spectrum import CONTRAST_EVERY, MEL_BANDS, Array, Frames

#: Coefficients of the cosine transform; the first kept is 1, since 0 is level.
COEFFICIENTS = 20

#: Below the loudest frame by this much a frame is pause.
PAUSE_DB = 40.0


def coefficients(level_db: Array, count: int) -> Array:
    """Mel-frequency cepstral coefficients 1 to `count`, `[shape=(count, frames)]`, of `spectrum.log_mel`.

    The orthonormal cosine transform over the square root of the bands: distances between two frames' coefficients
    are the root mean square difference of their smoothed spectra in dB, level apart.
    """
    basis = scipy.fft.dct(np.eye(MEL_BANDS), norm="ortho", axis=0)[1 : count + 1] / np.sqrt(MEL_BANDS)
    result: Array = basis.astype(np.float32) @ level_db
    return result


def vector(frames: Frames, cepstrum: Array) -> tuple[float, ...]:
    """Fixed-length description of timbre: mean, then spread over time, of 20 coefficients; in dB, 40 numbers.

    Pauses (40 dB below the loudest frame) are left out, so that fades and gaps do not count.

    Parameters
    ----------
    cepstrum
        `coefficients` of the recording, at least 20 rows.
    """
    heard = cepstrum[:COEFFICIENTS, frames.audible(PAUSE_DB)]
    if not heard.size:
        return (0.0,) * (2 * COEFFICIENTS)
    both = np.concatenate([heard.mean(axis=1), heard.std(axis=1)])
    return tuple(float(value) for value in both)


def contrast_db(frames: Frames) -> tuple[float, ...]:
    """Spectral contrast in dB, 0 to 80: how far peaks stand above valleys, median over time, one number a band.

    Bands: below 200 Hz, octaves up to 6.4 kHz, and above. Tones over silence are high, noise is low (about 14 in
    wide bands). After Jiang et al., ICME 2002; pauses are left out.
    """
    heard = frames.contrast_db[:, frames.audible(PAUSE_DB)[::CONTRAST_EVERY]]
    if not heard.shape[1]:
        return (0.0,) * len(frames.contrast_db)
    return tuple(float(value) for value in np.median(heard, axis=1))
