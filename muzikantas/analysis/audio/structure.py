"""Where a recording changes, and how much of it comes again."""

from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from muzikantas.analysis.audio.spectrum import FRAME_RATE, Array, Frames

#: Frames a cell: half a second, within which a boundary is found.
CELL_FRAMES = 22
CELL_S = CELL_FRAMES / FRAME_RATE

#: Cells that are compared before and after a boundary (8 s), and in a passage that comes again.
REACH = 16

#: A boundary stands out when both sides are this much more alike within than across (difference of
#: mean cosines, at most 2).
STANDS_OUT = 0.5
#: Sections are at least this long, and so are both ends.
SHORTEST_SECTION_S = 6.0

#: A passage comes again when its cells are alike, one by one, by this mean cosine.
AGAIN = 0.75

#: Coefficients of timbre in a cell; the finer ones say more of single notes.
TIMBRE_ROWS = 12


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Sections of a recording."""

    bounds_s: tuple[float, ...]  #: where a new section begins, rising
    confidence: float  #: mean strength of the bounds, 0 to 1; 0 where there is none
    repetition_share: float  #: share of the time in passages of 8 s that come again, 0 to 1


def listen(frames: Frames, cepstrum: Array) -> Structure:
    """Find sections by what changes in timbre and harmony.

    Half-second cells of timbre and chroma are compared by cosine, each with each. A boundary is a peak of the
    checkerboard novelty of that matrix (Foote, ICME 2000): 8 s before are like each other, 8 s after too, and both are
    unlike. Steady music has none.

    Parameters
    ----------
    cepstrum
        `timbre.coefficients` of the recording.
    """
    cells = _cells(frames, cepstrum)
    if cells.shape[1] < 2 * REACH:
        return Structure(bounds_s=(), confidence=0.0, repetition_share=0.0)
    alike = cells.T @ cells
    novelty = _novelty(alike)
    margin = round(SHORTEST_SECTION_S / CELL_S)
    peaks, _ = scipy.signal.find_peaks(novelty, height=STANDS_OUT, prominence=STANDS_OUT / 2.0, distance=margin)
    peaks = peaks[(peaks >= margin) & (peaks <= novelty.size - margin)]
    return Structure(
        bounds_s=tuple(float(peak * CELL_S) for peak in peaks),
        confidence=float(np.clip(novelty[peaks].mean(), 0.0, 1.0)) if peaks.size else 0.0,
        repetition_share=_repetition(alike),
    )


def _cells(frames: Frames, cepstrum: Array) -> Array:
    """Give unit vectors of timbre and chroma, each half of the weight, `[shape=(rows, cells)]`.

    Every row is centred over the recording: what never changes says nothing of its sections.
    """
    count = frames.power.size // CELL_FRAMES
    used = count * CELL_FRAMES

    def means(rows: Array) -> Array:
        grouped: Array = rows[:, :used].reshape(len(rows), count, CELL_FRAMES).mean(axis=2)
        return grouped

    chroma = means(frames.chroma)
    chroma /= np.maximum(np.linalg.norm(chroma, axis=0), np.finfo(np.float32).tiny)
    halves = [_centred(half) for half in (means(cepstrum[:TIMBRE_ROWS]), chroma)]
    cells: Array = np.concatenate(halves)
    cells /= np.maximum(np.linalg.norm(cells, axis=0), np.finfo(np.float32).tiny)
    return cells


def _centred(rows: Array) -> Array:
    """Take each row's mean away, and scale all rows together so that both halves weigh the same."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = float(np.sqrt(np.mean(np.sum(np.square(centred), axis=0))))
    # Rounding alone must not be blown up to a change.
    return centred / np.float32(spread) if spread > 1e-3 else np.zeros_like(centred)


def _novelty(alike: Array) -> NDArray[np.float64]:
    """How much more alike the cells around each boundary are within its sides than across, `[shape=(cells,)]`."""
    padded = np.pad(alike, REACH)
    step = padded.strides[0] + padded.strides[1]
    around = np.lib.stride_tricks.as_strided(
        padded, (len(alike), 2 * REACH, 2 * REACH), (step, *padded.strides), writeable=False
    )
    distance = np.arange(-REACH, REACH) + 0.5
    taper = np.exp(-0.5 * np.square(distance / (0.7 * REACH)))
    side = np.sign(distance)
    kernel = np.outer(taper, taper) * np.outer(side, side)
    kernel /= 0.5 * np.abs(kernel).sum()
    novelty: NDArray[np.float64] = np.einsum("nij,ij->n", around, kernel.astype(np.float32)).astype(np.float64)
    return novelty


def _repetition(alike: Array) -> float:
    """Share of the cells inside a passage that comes again, at least one passage later or earlier."""
    count = len(alike) - REACH + 1
    passage = np.zeros((count, count), dtype=np.float32)
    for k in range(REACH):
        passage += alike[k : k + count, k : k + count]
    later = np.tri(count, k=-REACH, dtype=np.bool_)
    again = np.any((passage >= AGAIN * REACH) & (later | later.T), axis=1)
    covered = sliding_window_view(np.pad(again, REACH - 1), REACH).any(axis=1)
    return float(covered.mean())
