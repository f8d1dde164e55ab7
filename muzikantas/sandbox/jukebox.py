"""A jukebox instead of a band: a few recordings, varied by level and label, so that a thousand takes cost little."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muzikantas.sandbox import mp3, recording
from muzikantas.sandbox.obedience import realise, seeded
from muzikantas.sandbox.prompt import read_style

#: Styles that differ audibly. A take plays one of them, whatever was asked: this is for load, not for learning.
_STYLES = (
    "house, 124 bpm, in A minor, energetic, bright tone, hopeful, driving drums",
    "dream pop, 92 bpm, in D major, calm, dark tone, wistful, sparse percussion",
    "techno, 132 bpm, in E minor, high energy, very bright tone, bittersweet, heavy drums",
    "folk, 108 bpm, in G major, gentle, balanced tone, joyful, light drums",
)
_LEVELS = 6  #: of 1.5 dB each


@dataclass(frozen=True, kw_only=True)
class Record:
    """One recording of the jukebox."""

    data: bytes
    gain_bits: np.ndarray[tuple[int], np.dtype[np.int64]]
    duration_s: float


class Jukebox:
    """Recordings made once, at the start, in the background."""

    def __init__(self, threads: ThreadPoolExecutor, folder: Path, *, seed: int, audio_seconds: float) -> None:
        self._folder, self._seed, self._audio_seconds = folder, seed, audio_seconds
        self._records: list[Future[Record]] = [threads.submit(self._make, style) for style in _STYLES]

    def play(self, take_id: str, task_id: str, position: int) -> tuple[bytes, float]:
        """Give a take's file and its length in seconds: takes of one task are different recordings."""
        number = int.from_bytes(task_id.encode()[-4:], "big") + position
        record = self._records[number % len(self._records)].result()
        steps = int(seeded(self._seed, "level", take_id).integers(_LEVELS))
        return mp3.labelled(mp3.quieter(record.data, record.gain_bits, steps), take_id), record.duration_s

    def _make(self, style: str) -> Record:
        take = realise(read_style(style), seed=self._seed, take_id=style)
        path = self._folder / f"jukebox-{_STYLES.index(style)}.mp3"
        rng = seeded(self._seed, "performance", style)
        duration_s = recording.record(path, take, audio_seconds=self._audio_seconds, rng=rng)
        data = path.read_bytes()
        return Record(data=data, gain_bits=mp3.gain_bits(data), duration_s=duration_s)
