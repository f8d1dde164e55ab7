"""The recording room: two threads that turn accepted takes into mp3 files, once each."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from muzikantas.sandbox import recording
from muzikantas.sandbox.config import Config
from muzikantas.sandbox.jukebox import Jukebox
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.obedience import Realised, seeded


class Recorder:
    """Records takes in the order in which they were paid.

    Two threads, one for each take of a request: a take costs half a second, most of it in the encoder, which runs
    outside Python's lock. More would only take the machine away from the workers under test. With `fast_audio` a
    jukebox takes the band's place.
    """

    def __init__(self, config: Config, ledger: Ledger) -> None:
        self._config, self._ledger = config, ledger
        self._folder = config.data / "audio"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="recorder")
        self._booked: dict[str, Future[None]] = {}
        self._threads.submit(recording.warm_up)
        self._jukebox = (
            Jukebox(self._threads, self._folder, seed=config.seed, audio_seconds=config.audio_seconds)
            if config.fast_audio
            else None
        )

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
        row = self._ledger.rows("SELECT * FROM takes WHERE id = ?", take_id)[0]
        path = self.path(take_id)
        if row["duration_s"] is not None and path.exists():
            return
        if self._jukebox is not None:
            data, duration_s = self._jukebox.play(take_id, row["task_id"], row["position"])
            recording.write(path, data)
        else:
            duration_s = recording.record(
                path,
                Realised(**json.loads(row["realised"])),
                audio_seconds=min(self._config.audio_seconds, row["asked_s"] or self._config.audio_seconds),
                rng=seeded(self._config.seed, "performance", take_id),
            )
        self._ledger.rows("UPDATE takes SET duration_s = ? WHERE id = ?", duration_s, take_id)
