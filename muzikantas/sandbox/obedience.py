"""How a music model obeys: roughly. What was asked becomes what will really be played."""

import hashlib
from dataclasses import dataclass

import numpy as np

from muzikantas.sandbox.prompt import Asked, Mode

#: Order of every style vector of the hidden market.
DIMENSIONS = ("tempo", "energy", "brightness", "valence", "percussiveness")

#: The slowest and fastest tempo of the style space, in beats per minute: 0 and 1 on a logarithmic scale.
TEMPO_RANGE_BPM = (60.0, 180.0)

NOISE_SD = 0.08
KEY_IGNORED = 0.08  #: probability that a key is not followed
OTHER_FEEL = 0.12  #: probability of drums at half or double feel


@dataclass(frozen=True, kw_only=True)
class Realised:
    """What one take really is; the market listens to this, never to the prompt."""

    genre: str
    tempo_bpm: float
    tonic: int
    mode: Mode
    energy: float
    brightness: float
    valence: float
    percussiveness: float
    feel: float  #: drum speed: 0.5 half, 1 normal, 2 double

    def place(self) -> tuple[float, ...]:
        """Give the take's place in the style space, in the order of `DIMENSIONS`, each in [0, 1]."""
        slow, fast = TEMPO_RANGE_BPM
        tempo = float(np.clip(np.log(self.tempo_bpm / slow) / np.log(fast / slow), 0, 1))
        return (tempo, self.energy, self.brightness, self.valence, self.percussiveness)


def seeded(seed: int, *names: str) -> np.random.Generator:
    """Give the random stream that belongs to these names, the same on every machine."""
    digest = hashlib.blake2b("\x1f".join(names).encode(), digest_size=16).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def realise(asked: Asked, *, seed: int, take_id: str) -> Realised:
    """Draw what a take becomes: a slope below one, a habit of the genre, and noise of the take."""
    habit, chance = seeded(seed, "habit", asked.genre), seeded(seed, "take", take_id)
    slopes, biases = habit.uniform(0.75, 0.85, 4), habit.uniform(-0.07, 0.07, 4)
    usual_bpm, tempo_bias = habit.uniform(85, 130), habit.uniform(-0.02, 0.02)
    wished = np.array([asked.energy, asked.brightness, asked.valence, asked.percussiveness])
    drawn = 0.5 + slopes * (wished - 0.5) + biases + chance.normal(0, NOISE_SD, 4)
    energy, brightness, valence, percussiveness = (round(float(v), 4) for v in np.clip(drawn, 0.02, 0.98))
    stretch = float(np.clip(tempo_bias + chance.normal(0, 0.02), -0.06, 0.06))
    tonic, mode = _key(asked, valence, chance)
    return Realised(
        genre=asked.genre,
        tempo_bpm=round((asked.tempo_bpm or usual_bpm) * (1 + stretch), 3),
        tonic=tonic,
        mode=mode,
        energy=energy,
        brightness=brightness,
        valence=valence,
        percussiveness=percussiveness,
        feel=float(chance.choice([0.5, 2.0])) if chance.random() < OTHER_FEEL else 1.0,
    )


def _key(asked: Asked, valence: float, chance: np.random.Generator) -> tuple[int, Mode]:
    ignored, other = chance.random() < KEY_IGNORED, int(chance.integers(12))
    heard: Mode = "major" if valence >= 0.5 else "minor"
    if ignored:
        return other, heard
    return other if asked.tonic is None else asked.tonic, asked.mode or heard
