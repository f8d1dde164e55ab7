"""The time and memory table: each engine alone in a fresh process."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._hearing import clips, clock, tracks
from benchmarks._hearing.environment import Environment

DECODING, RESAMPLING = clock.DECODING, clock.RESAMPLING
SONG_S = 180.0
FOUR_MINUTES, SIXTY_MINUTES = "muzikantas, 4 minutes", "muzikantas, 60 minutes"

#: Calls after the first; the slow ones change little from call to call.
WARM_CALLS = {
    DECODING: 9,
    RESAMPLING: 9,
    "muzikantas": 9,
    "librosa usual recipe": 3,
    "librosa everything": 1,
    "essentia MusicExtractor": 1,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one engine took in one process."""

    cold_s: float
    warm_s: float | None  #: None when it was called once
    peak_mb: float

    def figures(self, decoding: "Row") -> dict[str, float | None]:
        """Rounded, with the ratio to decoding the same file to mono."""
        assert decoding.warm_s is not None
        ratio = None if self.warm_s is None else round(self.warm_s / decoding.warm_s, 2)
        warm_s = None if self.warm_s is None else round(self.warm_s, 3)
        return {"cold_s": round(self.cold_s, 2), "warm_s": warm_s, "over_decode": ratio, "peak_mb": round(self.peak_mb)}


def times(env: Environment, folder: Path, names: Sequence[str]) -> dict[str, Row]:
    """Time all engines on one song, and weigh ours on four minutes and an hour; nothing else runs meanwhile."""
    song = tracks.song([folder / name for name in names[:9]], SONG_S, folder / "song.mp3")
    # Fills the cache of compiled code, as installing does.
    _clock(env, "muzikantas", song, warm=0)
    present = {name: warm for name, warm in WARM_CALLS.items() if name.split()[0] not in env.missing}
    rows = {name: _clock(env, name, song, warm=warm) for name, warm in present.items()}
    for name, minutes in ((FOUR_MINUTES, 4), (SIXTY_MINUTES, 60)):
        file = tracks.drone(minutes, env.cache / f"drone-{minutes}.mp3")
        rows[name] = _clock(env, "muzikantas", file, warm=0)
    return rows


def _clock(env: Environment, engine: str, file: Path, *, warm: int) -> Row:
    """Run the clock for one engine in the environment that has it."""
    is_ours = engine in {"muzikantas", DECODING, RESAMPLING}
    return Row(**json.loads(clips.run_module(env, "clock", [engine, str(file), "--warm", str(warm)], ours=is_ours)))
