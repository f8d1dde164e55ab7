"""The band: a realised style becomes a stereo recording, the same one for the same seed."""

import numpy as np

from muzikantas.sandbox import mastering
from muzikantas.sandbox.arrangement import STEPS, Note, score
from muzikantas.sandbox.instruments import SAMPLE_RATE, Samples, Voice, hat, kick, snare
from muzikantas.sandbox.obedience import Realised

#: Median spectral centroid of the darkest and the brightest tone, in Hz.
CENTROID_RANGE_HZ = (500.0, 4400.0)
#: Integrated loudness at energy 0 and 1.
LOUDNESS_RANGE_LUFS = (-28.0, -8.5)
#: Level of the drums against everything else at percussiveness 0 and 1, in dB.
DRUM_RANGE_DB = (-26.0, 6.0)

_PANS = {"pad": 0.35, "arp": 0.7, "lead": 0.42, "bass": 0.5}


def render(take: Realised, *, audio_seconds: float, rng: np.random.Generator) -> Samples:
    """Play a take of about `audio_seconds` (whole bars); shape `(n, 2)`, float32, 44.1 kHz."""
    bar_s = 240.0 / take.tempo_bpm
    bars = max(2, round(audio_seconds / bar_s))
    notes = list(score(take, bars, rng))
    length = round((bars * bar_s + 0.6) * SAMPLE_RATE)
    melodic = _play_voices(take, notes, length, bar_s / STEPS, rng)
    drums = _play_drums(notes, length, bar_s / STEPS, rng)
    mixed = melodic + _balanced(drums, melodic, take.percussiveness)[:, None]
    low, high = CENTROID_RANGE_HZ
    toned = mastering.tilt_to(mixed, low * (high / low) ** take.brightness)
    quiet, loud = LOUDNESS_RANGE_LUFS
    return mastering.level_to(toned, quiet + (loud - quiet) * take.energy)


def _play_voices(take: Realised, notes: list[Note], length: int, step_s: float, rng: np.random.Generator) -> Samples:
    """Render the pitched parts. Hard drums come with hard playing: the attack shortens with percussiveness."""
    rolloff, attack_s = 2.2 - 1.3 * take.brightness, 0.03 - 0.026 * take.percussiveness
    voices = {
        "pad": Voice(rolloff=rolloff + 0.2, attack_s=attack_s * 1.5, decay_s=3.0, rng=rng),
        "bass": Voice(rolloff=rolloff + 0.3, attack_s=attack_s / 2, decay_s=0.5, rng=rng),
        "arp": Voice(rolloff=rolloff, attack_s=attack_s / 2, decay_s=0.35 - 0.2 * take.percussiveness, rng=rng),
        "lead": Voice(rolloff=rolloff, attack_s=attack_s, decay_s=0.6, rng=rng),
    }
    buses = {part: np.zeros(length, np.float32) for part in voices}
    for note in notes:
        if note.part in voices:
            sound = voices[note.part].note(note.midi, note.length * step_s)
            _add(buses[note.part], sound, note.start * step_s, note.level)
    stereo = np.zeros((length, 2), np.float32)
    for part, bus in buses.items():
        stereo[:, 0] += bus * np.float32(1 - _PANS[part])
        stereo[:, 1] += bus * np.float32(_PANS[part])
    return stereo


def _play_drums(notes: list[Note], length: int, step_s: float, rng: np.random.Generator) -> Samples:
    kit = {"kick": kick(), "snare": snare(rng), "hat": hat(rng)}
    bus = np.zeros(length, np.float32)
    for note in notes:
        if note.part in kit:
            _add(bus, kit[note.part], note.start * step_s, note.level)
    return bus


def _add(bus: Samples, sound: Samples, start_s: float, level: float) -> None:
    start = round(start_s * SAMPLE_RATE)
    part = sound[: max(0, bus.size - start)]
    bus[start : start + part.size] += part * np.float32(level)


def _balanced(drums: Samples, melodic: Samples, percussiveness: float) -> Samples:
    """Scale the drums to their share of the mix."""
    soft, hard = DRUM_RANGE_DB
    wanted_db = soft + (hard - soft) * percussiveness
    power = float(np.mean(np.square(drums)))
    if power == 0:
        return drums
    ratio = np.sqrt(float(np.mean(np.square(melodic.mean(axis=1)))) / power) * 10 ** (wanted_db / 20)
    scaled: Samples = drums * np.float32(ratio)
    return scaled
