"""Two fingerprints side by side: whether one is a copy of the other, and how alike their harmonies are."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from muzikantas.analysis.audio.fingerprint import WORDS_HZ, Masks, Words, bits

#: Speeds around the one that is asked about, first over 3 %, then finer.
SPEEDS, FINER_SPEEDS = np.linspace(-0.015, 0.015, 16), np.linspace(-0.001, 0.001, 5)
#: That nothing was done to the speed is believed unless another one agrees better by this much.
PLAIN = 0.02
#: And places around the probe's, in words.
SHIFTS = (0.0, -0.5, 0.5, -1.0, 1.0)
SEMITONES = range(-6, 7)

#: A probe is this many words, this far apart: 10 s of a recording, at a third of the cost.
PROBE, PROBE_STRIDE = 24, 3
#: Share of equal bits below which a probe is not followed up; it has few bits, and its place is found to a word only.
PROBE_AGREES = 0.7

#: Two recordings are one when this share of all bits is equal, and this share in the worst quarter of the bands. Chance
#: is 0.5. Two takes of one request may share every chord and drum (0.80), but then differ where the melody lies (0.73);
#: copies that were sped up, transposed, cut or encoded poorly have 0.82 and 0.77 (`docs/decisions/0012`).
SAME, SAME_EVERYWHERE = 0.78, 0.73
QUARTERS = 4

#: Alignments that share less than this part of the shorter recording, or fewer than this many words, prove nothing.
LEAST_OVERLAP, LEAST_WORDS = 0.5, 4 * WORDS_HZ


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How one recording lies in another, and how well it fits there."""

    agreement: float  #: share of equal bits over all that they share, 0 to 1; 0.5 is chance
    worst_quarter: float  #: the same in the quarter of the bands where it is least
    semitones: int  #: how much higher the first is
    speed: float  #: how many times as fast it is

    @property
    def same(self) -> bool:
        """Whether the two are one recording, played higher or faster as they may be."""
        return self.agreement >= SAME and self.worst_quarter >= SAME_EVERYWHERE


def align(first: Words, second: Words, speed: float) -> Alignment | None:
    """Find where one recording lies in another, the shorter in the longer; None where not even its middle is found.

    Parameters
    ----------
    speed
        About how many times as fast the first is (1.5 % at most aside).
    """
    if first.size <= second.size:
        return _inside(first, second, speed)
    found = _inside(second, first, 1.0 / speed)
    return found and replace(found, semitones=-found.semitones, speed=1.0 / found.speed)


def likeness(first: Masks, second: Masks) -> tuple[float, int]:
    """Correlate two harmonies, beat by beat, at every lag in every transposition.

    Returns
    -------
    correlation
        Of the best, -1 to 1. In popular music unrelated pieces reach 0.4 to 0.6: many share their chords.
    semitones
        How much higher the first is there, -5 to 6.
    """
    size = scipy.fft.next_fast_len(first.size + second.size, real=True)
    one, other = (each - each.mean() for each in (bits(first, 12), bits(second, 12)))
    spectra = [scipy.fft.rfft2(each, (12, size), axes=(1, 0)) for each in (one, other)]
    product = scipy.fft.irfft2(spectra[0] * spectra[1].conj(), (12, size), axes=(1, 0))
    lags = np.arange(size)
    lags[first.size :] -= size
    shared = np.minimum(first.size, lags + second.size) - np.maximum(0, lags)
    enough = shared >= LEAST_OVERLAP * min(first.size, second.size)
    spread = max(float(one.std() * other.std()), float(np.finfo(np.float32).eps))
    scores = np.where(enough[:, None], product / (12.0 * spread * np.maximum(shared, 1)[:, None]), -1.0)
    lag, semitones = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(np.clip(scores[lag, semitones], -1.0, 1.0)), int((semitones + 5) % 12 - 5)


def _inside(short: Words, long: Words, speed: float) -> Alignment | None:
    """Find the middle of what sounds in the other recording, and follow it to both ends."""
    changes = np.flatnonzero(short[1:] != short[:-1])
    if changes.size < LEAST_WORDS:
        return None
    middle = int(changes[changes.size // 2])
    offsets = (np.arange(PROBE) - PROBE // 2) * PROBE_STRIDE
    offsets = offsets[(middle + offsets >= 0) & (middle + offsets < short.size)]
    equal, semitones, place = _find(short[middle + offsets], long, np.rint(offsets * speed).astype(np.int64))
    if equal < PROBE_AGREES:
        return None
    time = np.arange(short.size) - middle

    def marked(way: tuple[float, float]) -> Words | None:
        exact, shift = way
        return _differences(short, long, np.rint(place + shift + time * exact).astype(np.int64), semitones)

    def order(way: tuple[float, float]) -> float:
        return _agreement(marked(way), semitones) + (PLAIN if way[0] == 1.0 else 0.0)

    near, _ = max(((exact, 0.0) for exact in (1.0, *(speed * (1.0 + SPEEDS)))), key=order)
    best = max(((near * (1.0 + fine), shift) for fine in FINER_SPEEDS for shift in SHIFTS), key=order)
    different = marked(best)
    return Alignment(
        agreement=_agreement(different, semitones),
        worst_quarter=_worst_quarter(different, semitones),
        semitones=semitones,
        speed=float(best[0]),
    )


def _find(probe: Words, long: Words, offsets: NDArray[np.int64]) -> tuple[float, int, int]:
    """Slide a probe along a recording in all transpositions: share of equal bits, semitones and place of the best."""
    margin = int(np.abs(offsets).max())
    windows = np.pad(long, margin)[np.arange(long.size)[:, None] + margin + offsets]
    best = (0.0, 0, 0)
    for semitones in SEMITONES:
        count = np.bitwise_count(_different(probe, windows, semitones)).sum(axis=1, dtype=np.int32)
        place = int(count.argmin())
        best = max(best, (1.0 - float(count[place]) / (probe.size * (32 - abs(semitones))), semitones, place))
    return best


def _differences(short: Words, long: Words, at: NDArray[np.int64], semitones: int) -> Words | None:
    """Mark the bits that differ where word `i` of the one stands at `at[i]` of the other; None when too few share."""
    inside = (at >= 0) & (at < long.size)
    a, b = short[inside], long[at[inside]]
    sounds = (a | b) != 0  # silence agrees with silence, and proves nothing
    if np.count_nonzero(sounds) < max(LEAST_WORDS, LEAST_OVERLAP * short.size):
        return None
    return _different(a[sounds], b[sounds], semitones)


def _agreement(different: Words | None, semitones: int) -> float:
    """Share of equal bits; 0 when nothing is shared."""
    if different is None:
        return 0.0
    return 1.0 - int(np.bitwise_count(different).sum()) / (different.size * (32 - abs(semitones)))


def _worst_quarter(different: Words | None, semitones: int) -> float:
    """Share of equal bits in that quarter of the bands where it is least."""
    if different is None:
        return 0.0
    equal = 0.5 - 0.5 * bits(different, 32 - abs(semitones)).mean(axis=0)
    return min(float(quarter.mean()) for quarter in np.array_split(equal, QUARTERS))


def _different(higher: Words, lower: Words, semitones: int) -> Words:
    """Mark the bits in which words differ after taking the first down by some semitones."""
    up, down = (semitones, 0) if semitones >= 0 else (0, -semitones)
    both = np.uint32((1 << (32 - abs(semitones))) - 1)
    return ((higher >> np.uint32(up)) ^ (lower >> np.uint32(down))) & both
