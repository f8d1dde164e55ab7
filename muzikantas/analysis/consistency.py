"""How consistent an artist sounds: a track's distance from the others, outliers and why, and drift over releases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats

from muzikantas.analysis.history import Array
from muzikantas.domain.errors import InputError
from muzikantas.domain.features import Features

#: What makes a style, and how far an artist's tracks usually spread in it (standard deviation). By judgement; it counts
#: as much as `USUAL_TRACKS` tracks, so that three releases that happen to agree do not make an outlier of the fourth.
USUAL_SPREAD: Mapping[str, float] = {
    "tempo_octaves": 0.15,
    "loudness_lufs": 1.5,
    "energy": 0.08,
    "brightness_octaves": 0.3,
    "onset_rate_octaves": 0.3,
    "danceability": 0.06,
    "valence": 0.1,
    "percussive_ratio": 0.08,
    "timbre_db": 1.0,
}
USUAL_TRACKS = 4.0

#: A track is an outlier when one of the same style stands so far off less often than this.
RARE = 1.0 / 100.0
#: A feature this many standard deviations off is named as a reason.
REASON = 2.0
#: With fewer tracks nothing can be said about the others when one is left out, or about a trend.
FEWEST_TRACKS, FEWEST_FOR_DRIFT = 3, 5
#: Neither a spread nor a correlation is learnt from what one track does: deviations beyond so many standard deviations
#: are cut there. A normal variable so cut has this variance.
CUT, CUT_VARIANCE = 2.0, 0.9205
#: What makes a median absolute deviation the standard deviation of a normal variable.
MAD_TO_SD = 1.4826
#: Music strays farther than the normal distribution: as Student's t does with at most so many degrees of freedom.
TAILS = 10.0


@dataclass(frozen=True, kw_only=True)
class Departure:
    """One feature of a track beside the artist's other tracks."""

    feature: str
    value: float
    usual: float  #: median of the others
    deviations: float  #: how far above it, in standard deviations of the others


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one track stands in its artist's style."""

    from_centre: (
        float  #: distance from the centre of the other tracks in usual distances: about 1 for one like the others
    )
    from_nearest: float  #: distance to the nearest other track, in the same unit
    surprise: float  #: chance that a track of the same style stands at least as far off, 0 to 1
    outlier: bool
    reasons: tuple[Departure, ...]  #: of an outlier, the features that made it one, the strongest first


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How a feature has moved over the releases."""

    feature: str
    per_release: float  #: slope, in the unit of the feature
    low: float  #: interval of the slope: 95 % hold for all features together
    high: float
    change: float  #: from the first release to the last, along the slope

    @property
    def certain(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0.0 or self.high < 0.0


def places(tracks: Sequence[Features]) -> list[Place]:
    """Place every track of an artist among its others; an empty list for fewer than three.

    Each track is compared with all but itself: by the median and a robust spread (shrunk towards the usual one), by
    what Student's t says of so few tracks, and by the correlations of the features (shrunk towards none), so that two
    that always go together do not count twice. Some strange tracks do not hide one another.
    """
    if len(tracks) < FEWEST_TRACKS:
        return []
    table = describe(tracks)
    scores, centres, spreads = _scores(table)
    inverse = np.linalg.inv(_correlations(scores))
    squares = np.einsum("ij,jk,ik->i", scores, inverse, scores)
    surprise = scipy.stats.chi2.sf(squares, table.shape[1])
    found = []
    for row, chance in enumerate(surprise):
        outlier = bool(chance < RARE)
        apart = np.delete(table, row, axis=0) - table[row]
        found.append(
            Place(
                from_centre=float(np.sqrt(squares[row] / table.shape[1])),
                from_nearest=float(np.sqrt(np.mean(np.square(apart / spreads[row]), axis=1).min())),
                surprise=float(chance),
                outlier=outlier,
                reasons=_reasons(table[row], centres[row], spreads[row]) if outlier else (),
            )
        )
    return found


def place(track: Features, catalogue: Sequence[Features]) -> Place | None:
    """Place a new track among an artist's catalogue; None while that has fewer than two tracks."""
    found = places([*catalogue, track])
    return found[-1] if found else None


def drift(tracks: Sequence[Features]) -> list[Drift]:
    """Tell how each feature has moved, tracks in the order of their release; an empty list for fewer than five.

    The slope of Theil and Sen, the median of the slopes of all pairs, which a third of strange tracks cannot turn, with
    Sen's interval (P. K. Sen, Journal of the American Statistical Association 63, 1968).
    """
    if len(tracks) < FEWEST_FOR_DRIFT:
        return []
    level = 1.0 - 0.05 / len(USUAL_SPREAD)
    found = []
    for feature, values in zip(USUAL_SPREAD, describe(tracks).T, strict=True):
        slope, _, low, high = map(float, scipy.stats.theilslopes(values, alpha=level))
        found.append(Drift(feature=feature, per_release=slope, low=low, high=high, change=slope * (len(tracks) - 1)))
    return found


def describe(tracks: Sequence[Features]) -> Array:
    """Give the tracks as rows of numbers, `[shape=(n, len(USUAL_SPREAD))]`.

    Tempo is folded to the octave nearest to where the artist's tempi lie, as 70 and 140 are often both right; rates
    and frequencies are in octaves; timbre is the distance from the artist's median timbre.

    Raises
    ------
    InputError
        When the tracks were measured by different extractors.
    """
    extractors = sorted({track.extractor for track in tracks})
    if len(extractors) > 1:
        raise InputError(f"tracks measured by {', '.join(extractors)}; expected one extractor: measure them again")
    timbre = np.array([track.timbre for track in tracks], dtype=float)
    tempo = np.log2([track.tempo_bpm for track in tracks])
    centre = np.angle(np.sum(np.exp(2j * np.pi * tempo))) / (2.0 * np.pi)
    octave = np.round(np.median(tempo) - centre)
    columns = {
        "tempo_octaves": tempo - np.round(tempo - centre) + octave,
        "brightness_octaves": np.log2([max(track.brightness_hz, 20.0) for track in tracks]),
        "onset_rate_octaves": np.log2([max(track.onset_rate_hz, 0.1) for track in tracks]),
        "timbre_db": np.linalg.norm(timbre - np.median(timbre, axis=0), axis=1),
    }
    rest = (np.array([getattr(t, name) for t in tracks], dtype=float) for name in USUAL_SPREAD if name not in columns)
    columns |= zip((name for name in USUAL_SPREAD if name not in columns), rest, strict=True)
    return np.stack([columns[name] for name in USUAL_SPREAD], axis=1)


def _scores(table: Array) -> tuple[Array, Array, Array]:
    """Normal scores of every track beside its others, with their centres and spreads, `[shape=(n, d)]` each."""
    usual = np.array(list(USUAL_SPREAD.values()))
    centres, spreads = np.empty_like(table), np.empty_like(table)
    for row in range(len(table)):
        others = np.delete(table, row, axis=0)
        centres[row] = np.median(others, axis=0)
        away = np.abs(others - centres[row])
        # One step of Huber's second proposal from the median absolute deviation: as robust, and twice as exact.
        cut = np.minimum(away, CUT * MAD_TO_SD * np.median(away, axis=0))
        variance = np.mean(cut**2, axis=0) / CUT_VARIANCE
        total = len(others) + USUAL_TRACKS
        spreads[row] = np.sqrt((len(others) * variance + USUAL_TRACKS * usual**2) / total)
    # The centre is itself uncertain: a median's variance is pi / 2 that of a mean.
    widths = spreads * np.sqrt(1.0 + 0.5 * np.pi / (len(table) - 1))
    ratio = (table - centres) / widths
    freedom = min(len(table) - 1 + USUAL_TRACKS, TAILS)
    scores = np.sign(ratio) * -scipy.stats.norm.ppf(scipy.stats.t.sf(np.abs(ratio), freedom))
    return scores, centres, widths


def _correlations(scores: Array) -> Array:
    """Correlations of the features over all tracks, shrunk towards none by as many tracks as there are pairs."""
    cut = np.clip(scores, -CUT, CUT)
    n, d = cut.shape
    second = cut.T @ cut / n
    sd = np.sqrt(np.maximum(np.diag(second), 1e-12))
    share = n / (n + d * (d - 1) / 2.0)
    return np.asarray(share * second / np.outer(sd, sd) + (1.0 - share) * np.eye(d))


def _reasons(values: Array, centres: Array, widths: Array) -> tuple[Departure, ...]:
    """Name the features that stand out; at least the strongest."""
    deviations = (values - centres) / widths
    order = np.argsort(-np.abs(deviations), kind="stable")
    named = [k for k in order if abs(deviations[k]) >= REASON] or [order[0]]
    names = list(USUAL_SPREAD)
    return tuple(
        Departure(feature=names[k], value=float(values[k]), usual=float(centres[k]), deviations=float(deviations[k]))
        for k in named
    )
