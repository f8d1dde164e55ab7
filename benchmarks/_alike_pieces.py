"""Half a minute of music from a seed: artists with a sound of their own, common chords, and what happens to copies."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import librosa
import numpy as np
import numpy.typing as npt
import scipy.signal
import soundfile

Sound = npt.NDArray[np.float32]
Hits = npt.NDArray[np.bool_]
RATE, PIECE_S, TABLE = 22050, 30.0, 4096
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
#: Degrees of the scale. Most songs share one of a few progressions, which is what makes different ones alike.
COMMON = (
    (0, 4, 5, 3),
    (0, 5, 3, 4),
    (5, 3, 0, 4),
    (0, 3, 4, 4),
    (0, 5, 1, 4),
    (0, 3, 0, 4),
    (0, 2, 3, 4),
    (0, 6, 5, 4),
)
FORM = (0, 0, 1, 0, 2, 1)  #: the motif of each eight beats


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a request asks for (tempo, key, chords, instruments), and which performance of it this is."""

    bpm: float
    tonic: int
    mode: str
    tuning: float  #: semitones
    progression: tuple[int, ...]
    chord_beats: int
    band: int  #: seed of the instruments
    performance: int  #: seed of melody, figures and drums

    def pitch(self, degree: int) -> float:
        """MIDI pitch of a degree of the scale, about middle C."""
        return 54.0 + self.tonic + self.tuning + 12 * (degree // 7) + SCALES[self.mode][degree % 7]

    def root(self, beat: float) -> int:
        """Degree of the chord at a beat."""
        return self.progression[int(beat // self.chord_beats) % len(self.progression)]


def compose(artist: int, number: int) -> Score:
    """Write an artist's piece: its own band and about its tempo, any key, usually common chords."""
    style, piece = np.random.default_rng([artist, 0]), np.random.default_rng([artist, number, 1])
    usual = str(style.choice(list(SCALES)))
    own = tuple(int(degree) for degree in piece.integers(0, 7, 4))
    return Score(
        bpm=float(style.uniform(75, 160) * 2 ** piece.normal(0, 0.05)),
        tonic=int(piece.integers(12)),
        mode=usual if piece.random() < 0.8 else str(piece.choice(list(SCALES))),
        tuning=float(piece.choice([0.0, piece.uniform(-0.4, 0.4)])),
        progression=COMMON[piece.integers(len(COMMON))] if piece.random() < 0.7 else own,
        chord_beats=int(piece.choice([2, 4])),
        band=artist,
        performance=1000 * artist + number,
    )


def second_take(score: Score) -> Score:
    """Make the same request again: all as asked, another melody, figure and drums."""
    return replace(score, performance=score.performance + 500_000)


def cover(score: Score) -> Score:
    """Play the same notes with the same timing by other instruments."""
    return replace(score, band=score.band + 500_000)


def copies() -> dict[str, Callable[[Sound], Sound]]:
    """What becomes of a recording that is handed in again, by name."""
    return {
        "re-encoded": encoded,
        "cut by 3 s": lambda sound: sound[3 * RATE :],
        "cut by 3.07 s, re-encoded": lambda sound: encoded(sound[int(3.07 * RATE) :]),
        "louder basses, quieter": _equalised,
        "semitone up": lambda sound: librosa.effects.pitch_shift(sound, sr=RATE, n_steps=1),
        "semitone down, re-encoded": lambda sound: encoded(librosa.effects.pitch_shift(sound, sr=RATE, n_steps=-1)),
        "4 % faster": lambda sound: librosa.effects.time_stretch(sound, rate=1.04),
        "4 % faster as a tape": lambda sound: _as_a_tape(sound, 1.04),
        "semitone up as a tape": lambda sound: _as_a_tape(sound, 2 ** (1 / 12)),
    }


def encoded(sound: Sound) -> Sound:
    """Write and read an MP3 of 64 kbit/s: libsndfile maps 0..1 to 160..8 kbit/s at this rate."""
    file = io.BytesIO()
    options = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT"}
    soundfile.write(file, 0.9 * sound, RATE, compression_level=(160 - 64) / (160 - 8), **options)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


def _equalised(sound: Sound) -> Sound:
    low = scipy.signal.lfilter(*scipy.signal.butter(1, 200, fs=RATE), sound)
    return np.asarray(0.3 * (sound + low), dtype=np.float32)


def _as_a_tape(sound: Sound, speed: float) -> Sound:
    return np.asarray(librosa.resample(sound, orig_sr=round(RATE * speed), target_sr=RATE))


@dataclass(frozen=True, eq=False)
class _Instrument:
    """One period of a waveform, and how a note begins and dies away."""

    wave: Sound
    decay_hz: float
    attack_s: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "_Instrument":
        partials = rng.random(12) / np.arange(1, 13) ** rng.uniform(0.7, 2.0)
        partials[0] += 0.3
        turn = 2 * np.pi * np.arange(TABLE) / TABLE
        wave = sum(level * np.sin(k * turn + rng.uniform(0, 6)) for k, level in enumerate(partials, start=1))
        scaled = np.asarray(wave / np.abs(wave).max(), dtype=np.float32)
        return cls(scaled, float(rng.uniform(0.5, 8)), float(rng.choice([0.003, 0.01, 0.06])))


class _Stage:
    """Sound in the making, with a clock in beats that is as loose as its players."""

    def __init__(self, score: Score, play: np.random.Generator) -> None:
        self.sound = np.zeros(int(PIECE_S * RATE), dtype=np.float32)
        self.beat_s = 60 / score.bpm
        self.beats = int(PIECE_S / self.beat_s)
        self._loose_s = float(play.uniform(0.0, 0.012))
        self._play = play

    def sample(self, beat: float) -> int:
        """Where a beat falls when a hand plays it."""
        return int(max(0.0, beat * self.beat_s + self._play.normal(0, self._loose_s)) * RATE)

    def note(self, instrument: _Instrument, midi: float, beat: float, beats: float, level: float) -> None:
        """Play one note."""
        first = self.sample(beat)
        count = min(int(beats * self.beat_s * RATE), self.sound.size - first)
        if count < RATE // 100:
            return
        time = np.arange(count, dtype=np.float32) / RATE
        phase = (time * np.float32(440 * 2 ** ((midi - 69) / 12) * TABLE)).astype(np.int64) % TABLE
        ends = np.minimum(1, time / instrument.attack_s) * np.minimum(1, (time[-1] - time) / 0.02)
        self.sound[first : first + count] += level * instrument.wave[phase] * ends * np.exp(-instrument.decay_hz * time)

    def hit(self, drum: Sound, beat: float, level: float) -> None:
        """Strike a drum."""
        first = self.sample(beat)
        self.sound[first : first + drum.size] += np.float32(level) * drum[: max(0, self.sound.size - first)]


def perform(score: Score) -> Sound:
    """Play a score: mono at `RATE`, peak 1."""
    play, band = np.random.default_rng([score.performance, 2]), np.random.default_rng([score.band, 3])
    stage = _Stage(score, play)
    instruments = [_Instrument.draw(band) for _ in range(3)]
    levels = band.uniform(0.15, 0.5, 4)
    octaves = band.integers(-1, 2, 2)
    _accompany(stage, score, play, instruments[:2], levels[:2], 12.0 * float(octaves[0]))
    _sing(stage, score, play, instruments[2], float(levels[2]), 12.0 + 12.0 * float(octaves[1]))
    _drum(stage, play, band, float(levels[3]))
    return np.asarray(stage.sound / np.abs(stage.sound).max(), dtype=np.float32)


def _accompany(
    stage: _Stage,
    score: Score,
    play: np.random.Generator,
    instruments: list[_Instrument],
    levels: npt.NDArray[np.float64],
    up: float,
) -> None:
    """Chords in a figure of eighths that changes every 16 beats, and a bass below them."""
    figures = [play.random(8) < play.uniform(0.3, 0.8) for _ in range(2)]
    for start in range(0, stage.beats, score.chord_beats):
        root = score.root(start)
        stage.note(instruments[1], score.pitch(root) - 24, start, score.chord_beats, levels[1])
        for eighth in range(2 * score.chord_beats):
            if eighth and not figures[(start // 16) % 2][eighth % 8]:
                continue
            for voice in (0, 2, 4):
                level = levels[0] * play.uniform(0.6, 1)
                stage.note(instruments[0], score.pitch(root + voice) + up, start + eighth / 2, 1.6, level)


def _sing(
    stage: _Stage, score: Score, play: np.random.Generator, instrument: _Instrument, level: float, up: float
) -> None:
    """A melody of three motifs, each of twelve steps about the chord."""
    steps = play.integers(-3, 6, (3, 12))
    lengths = play.choice([0.5, 0.5, 1.0, 1.5], (3, 12))
    beat, count = 0.0, 0
    while beat < stage.beats - 1:
        motif, index = FORM[int(beat // 8) % len(FORM)], count % 12
        if play.random() < 0.85:
            midi = score.pitch(score.root(beat) + int(steps[motif, index])) + up
            stage.note(instrument, midi, beat, float(lengths[motif, index]), level * play.uniform(0.6, 1))
        beat, count = beat + float(lengths[motif, index]), count + 1


def _drum(stage: _Stage, play: np.random.Generator, band: np.random.Generator, level: float) -> None:
    """Kick, snare and hat over a bar of sixteenths."""
    time = np.arange(RATE // 4) / RATE
    noise = band.standard_normal(time.size)
    kick = np.sin(2 * np.pi * (50 * time + 6 * (1 - np.exp(-30 * time)))) * np.exp(-14 * time)
    snare = 0.6 * noise * np.exp(-22 * time)
    hat = 0.25 * np.diff(noise, prepend=0) * np.exp(-60 * time)
    drums = [np.asarray(drum, dtype=np.float32) for drum in (kick, snare, hat)]
    bars: list[Hits] = [play.random(16) < 0.25, np.arange(16) % 8 == 4, play.random(16) < play.uniform(0.3, 0.9)]
    bars[0][0] = True
    for sixteenth in range(4 * (stage.beats - 1)):
        for drum, bar in zip(drums, bars, strict=True):
            if bar[sixteenth % 16]:
                stage.hit(drum, sixteenth / 4, level)
