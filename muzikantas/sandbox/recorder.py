"""The recording room: two threads that turn accepted takes into mp3 files, once each."""

import json
import math
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from muzikantas.sandbox.config import Config
from muzikantas.sandbox.instruments import SAMPLE_RATE, Samples
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.obedience import Realised, seeded

#: Of libsndfile, 0 to 1: about 90 kbit/s, a quarter quicker to encode than its default.
_COMPRESSION = 0.9


class Recorder:
    """Records takes in the order in which they were paid.

    Two threads, one for each take of a request: a take costs half a second, most of it in the encoder, which runs
    outside Python's lock. More would only take the machine away from the workers under test.
    """

    def __init__(self, config: Config, ledger: Ledger) -> None:
        self._config, self._ledger = config, ledger
        self._folder = config.data / "audio"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="recorder")
        self._booked: dict[str, Future[None]] = {}
        self._threads.submit(_warm_up)

    def path(self, take_id: str) -> Path:
        """Say where a take's file is, or will be."""
        return self._folder / f"{take_id}.mp3"

    def book(self, take_id: str) -> Future[None]:
        """Record a take unless that was done or asked before; the future ends when the file is there."""
        if take_id not in self._booked:
            self._booked[take_id] = self._threads.submit(self._record, take_id)
        return self._booked[take_id]

    def close(self) -> None:
        """Leave what is not begun; a restart books it again."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _record(self, take_id: str) -> None:
        from muzikantas.sandbox import synth  # noqa: PLC0415 - keeps numpy's friends out of the start-up

        row = self._ledger.rows("SELECT * FROM takes WHERE id = ?", take_id)[0]
        if row["duration_s"] is not None and self.path(take_id).exists():
            return
        config = self._config
        samples = synth.render(
            Realised(**json.loads(row["realised"])),
            audio_seconds=config.audio_seconds,
            rng=seeded(config.seed, "performance", take_id),
        )
        unfinished = self._folder / f"{take_id}.part"
        write_mp3(unfinished, samples)
        unfinished.replace(self.path(take_id))
        duration_s = math.floor(100 * len(samples) / SAMPLE_RATE) / 100
        self._ledger.rows("UPDATE takes SET duration_s = ? WHERE id = ?", duration_s, take_id)


def _warm_up() -> None:
    """Import what the first take needs, while nobody waits for it yet."""
    import soundfile  # noqa: F401, PLC0415 - start-up must not pay for it
    from scipy.signal import oaconvolve, sosfilt  # noqa: F401, PLC0415 - as above


def write_mp3(path: Path, samples: Samples) -> None:
    """Write samples as mp3. They must be float32: int16 comes out of libsndfile's encoder badly distorted."""
    import soundfile  # noqa: PLC0415 - see above

    soundfile.write(path, samples, SAMPLE_RATE, format="MP3", compression_level=_COMPRESSION)
