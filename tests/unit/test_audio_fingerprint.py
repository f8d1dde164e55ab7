"""Copies are found whatever was done to them, and other recordings are not: fingerprints, matching, catalogue."""

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import fingerprint as prints
from muzikantas.analysis.audio.catalogue import Catalogue, Match
from muzikantas.analysis.audio.fingerprint import Fingerprint, fingerprint
from muzikantas.analysis.audio.matching import align, likeness
from muzikantas.domain.errors import InputError

Sound = npt.NDArray[np.float32]
RATE, BPM, SECONDS = prints.RATE, 120.0, 24.0
SCALE = (0, 2, 4, 5, 7, 9, 11)
CHORDS = (0, 4, 5, 3)


def tune(melody: int, *, up: float = 0.0, speed: float = 1.0, chords: tuple[int, ...] = CHORDS) -> Sound:
    """Chords of two beats under a melody of eighths drawn by `melody`: played as told, so that truth is known."""
    rng = np.random.default_rng(melody)
    out = np.zeros(int(SECONDS * RATE / speed), dtype=np.float32)

    def note(degree: int, octave: int, eighth: int, length: int, level: float) -> None:
        midi = 60 + 12 * (octave + degree // 7) + SCALE[degree % 7] + up
        first = int(eighth * 0.25 / speed * RATE)
        time = np.arange(min(int(length * 0.25 / speed * RATE), out.size - first)) / RATE
        tone = sum(np.sin(2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * k * time) / k for k in (1, 2, 3))
        out[first : first + time.size] += level * np.asarray(tone * np.exp(-3 * speed * time), dtype=np.float32)

    for eighth in range(int(SECONDS / 0.25)):
        root = chords[eighth // 4 % len(chords)]
        if eighth % 4 == 0:
            for voice in (0, 2, 4):
                note(root + voice, 0, eighth, 4, 0.2)
        note(root + int(rng.integers(-3, 6)), 1, eighth, 1 + int(rng.integers(3)), 0.4)
    return out


def taken(sound: Sound, bpm: float = BPM) -> Fingerprint:
    return fingerprint(sound, RATE, bpm)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Thirty tunes over the same chords, with one timbre."""
    made = Catalogue()
    for melody in range(30):
        made.add(melody, taken(tune(melody)), (0.0,) * 4)
    return made


def copies(catalogue: Catalogue, sound: Sound) -> list[Match]:
    return [match for match in catalogue.query(taken(sound), (0.0,) * 4) if match.kind != "sounds like"]


def test_level_and_a_silent_start_change_nothing() -> None:
    sound = tune(1)
    assert (taken(sound).words == taken(0.01 * sound).words).all()
    # 2 s are 14 words: the same words come later. The first ones reach into the silence.
    late = taken(np.pad(sound, (2 * RATE, 0)))
    assert np.mean(late.words[14 + 8 : 120] == taken(sound).words[8 : 120 - 14]) > 0.98


def test_bytes_give_the_fingerprint_back_and_three_minutes_are_small() -> None:
    made = taken(np.tile(tune(2), 8)[: 180 * RATE])
    stored = made.to_bytes()
    back = Fingerprint.from_bytes(stored)
    assert len(stored) < 6300
    for name in ("words", "harmony", "sketch", "harmony_sketch"):
        assert (getattr(back, name) == getattr(made, name)).all(), name


@pytest.mark.parametrize("data", [b"", b"\x02" + b"\0" * 20, taken(tune(0)).to_bytes()[:-1]])
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="compute it again"):
        Fingerprint.from_bytes(data)


@pytest.mark.parametrize(
    ("up", "speed", "kind"),
    [
        (0, 1.0, "same recording"),
        (1, 1.0, "transposed"),
        (-3, 1.0, "transposed"),
        (0, 1.04, "faster"),
        (0, 0.96, "slower"),
        (12 * np.log2(1.04), 1.04, "faster"),  # as a tape: two thirds of a semitone up
    ],
)
def test_a_copy_is_found_with_its_pitch_and_speed(catalogue: Catalogue, up: float, speed: float, kind: str) -> None:
    (match,) = copies(catalogue, tune(11, up=up, speed=speed))
    assert (match.id, match.kind, match.semitones) == (11, kind, round(up))
    assert match.speed == pytest.approx(speed, abs=0.005)
    assert match.score > 0.8


@pytest.mark.parametrize("start_s", [3.0, 3.0 + 0.5 / prints.WORDS_HZ])
def test_a_cut_and_noisy_copy_is_found_on_and_between_the_grid(catalogue: Catalogue, start_s: float) -> None:
    sound = tune(5)[int(start_s * RATE) :]
    noise = 0.003 * np.random.default_rng(0).standard_normal(sound.size)
    (match,) = copies(catalogue, (sound + noise).astype(np.float32))
    assert (match.id, match.kind) == (5, "same recording")
    assert match.score > 0.85


def test_another_melody_over_the_same_chords_is_no_copy_and_sounds_like_it(catalogue: Catalogue) -> None:
    other = taken(tune(77))
    found = catalogue.query(other, (0.0,) * 4)
    assert {match.kind for match in found} == {"sounds like"}
    # With another sound it is no relative either.
    assert catalogue.query(other, (40.0,) * 4) == []


def test_likeness_knows_the_transposition() -> None:
    one, other = taken(tune(3)), taken(tune(3, up=4))
    score, semitones = likeness(other.harmony, one.harmony)
    assert semitones == 4
    assert score > 0.8
    score, semitones = likeness(one.harmony, one.harmony)
    assert semitones == 0
    assert score == pytest.approx(1.0, abs=1e-4)


def test_the_order_of_the_two_turns_the_answer_round() -> None:
    low, high = taken(tune(8)).words, taken(tune(8, up=2, speed=1.04)).words
    there, back = align(high, low, 1.04), align(low, high, 1 / 1.04)
    assert there is not None
    assert back is not None
    assert (there.semitones, back.semitones) == (2, -2)
    assert there.speed * back.speed == pytest.approx(1.0)
    assert there.agreement == pytest.approx(back.agreement)


def test_an_excerpt_of_a_few_recordings_is_found_in_the_whole() -> None:
    whole = Catalogue()
    whole.add(1, taken(tune(4)), (0.0,))
    (match,) = [m for m in whole.query(taken(tune(4)[8 * RATE : 20 * RATE]), (0.0,)) if m.kind != "sounds like"]
    assert (match.id, match.kind) == (1, "same recording")


def test_silence_is_no_copy_of_silence() -> None:
    silent = Catalogue()
    quiet = taken(np.zeros(20 * RATE, dtype=np.float32))
    silent.add(1, quiet, (0.0,))
    assert [match for match in silent.query(quiet, (0.0,)) if match.kind != "sounds like"] == []


def test_noise_is_a_copy_of_itself_and_of_no_other_noise() -> None:
    noises = [np.random.default_rng(seed).standard_normal(20 * RATE).astype(np.float32) for seed in range(4)]
    held = Catalogue()
    for take_id, noise in enumerate(noises):
        held.add(take_id, taken(noise), (0.0,))
    assert [match.id for match in copies_of(held, noises[2])] == [2]


def copies_of(held: Catalogue, sound: Sound) -> list[Match]:
    return [match for match in held.query(taken(sound), (0.0,)) if match.kind != "sounds like"]


def test_an_empty_catalogue_knows_nothing_and_mixed_timbres_are_refused() -> None:
    held = Catalogue()
    assert held.query(taken(tune(0)), (0.0,)) == []
    held.add(1, taken(tune(0)), (0.0, 1.0))
    with pytest.raises(InputError, match="take 2"):
        held.add(2, taken(tune(1)), (0.0,))
