"""Why a style was chosen, in a sentence for the operator and in the ids of releases."""

from dataclasses import dataclass

import numpy as np

from muzikantas.analysis.history import Array

FILLS = "nothing known here yet: spreads around the middle"
OTHERS = "no release of its own heard yet: follows what did well for other artists"
#: Less and more of a dimension in an operator's words; others are "lower" and "higher".
WORDS = {
    "tempo": ("slower", "faster"),
    "energy": ("calmer", "more energetic"),
    "brightness": ("darker", "brighter"),
    "valence": ("sadder", "happier"),
    "percussiveness": ("more sustained", "more percussive"),
}
#: Ids given as evidence, at most; and the least change of a dimension worth a word.
STRONGEST, NOTICEABLE = 8, 0.03


@dataclass(frozen=True, eq=False)
class Step:
    """A choice beside what the artist does on average.

    Parameters
    ----------
    genre
        The choice's genre.
    dimensions
        Names of the dimensions.
    change
        Realised values expected of the choice minus the average of the releases (shape `(d,)`).
    gains
        What each of those changes alone is expected to bring, in log units (shape `(d,)`).
    gain, doubt
        What the choice as a whole is expected to bring, and the standard deviation of that expectation.
    """

    genre: str
    dimensions: tuple[str, ...]
    change: Array
    gains: Array
    gain: float
    doubt: float


def explain(step: Step, similar: int, *, explores: bool) -> str:
    """Say what is different, what it is expected to bring, and how many releases resemble it."""
    order = [
        k for k in np.argsort(-step.gains, kind="stable") if abs(step.change[k]) >= NOTICEABLE and step.gains[k] > 0
    ]
    words = " and ".join(_word(step.dimensions[k], float(step.change[k])) for k in order[:2]) or "close to the usual"
    lead = f"{'explores ' if explores else ''}{step.genre}, {words}"
    promise = f"expected {step.gain:+.2f} ± {step.doubt:.2f} log streams against the average release"
    return f"{lead}: {promise}; {similar} similar {'release' if similar == 1 else 'releases'}"


def evidence(pull: Array, ids: tuple[int | None, ...]) -> tuple[int, ...]:
    """Ids of the releases that raise an expectation, the strongest first; `pull` (shape `(n,)`) is what each adds."""
    speaks = [i for i in np.argsort(-pull, kind="stable") if pull[i] > 0]
    named = [found for i in speaks if (found := ids[i]) is not None]
    return tuple(named[:STRONGEST])


def _word(dimension: str, change: float) -> str:
    less, more = WORDS.get(dimension, (f"lower {dimension}", f"higher {dimension}"))
    return more if change > 0 else less
