"""Listening in a worker that scales itself (`--autoscale=2,1`): CPU seconds a track against one process alone.

The same stored takes are measured twice: by `measure_file` in a loop, in one process with nothing else, and by the
`listen` queue's worker, whose time includes its tasks, rows and messages, and the children that it starts on the way.
The loop runs half before and half after the worker, so that a machine that slows down slows both.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import tempfile
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import psutil
import soundfile
from sqlalchemy import func, select

from muzikantas.analysis import audio
from muzikantas.domain.brief import Brief
from muzikantas.domain.profile import Bounds, Profile
from muzikantas.local import programs, remove_servers_folder
from muzikantas.local.stack import Shape, Stack, embedded
from muzikantas.models import artist, generation, take
from muzikantas.models.generation import Generation
from muzikantas.models.take import Take
from muzikantas.studio import studio
from muzikantas.tasks import canvases, cycles

RATE = 44100
#: So many different recordings; a take is one of them, and measuring does not remember.
RECORDINGS = 5
#: Before anything is counted: every child has opened its connections.
WARM_UP = 2


def recording(seed: int, seconds: float) -> bytes:
    """Render chords, a bass and noise bursts of a tempo of their own, as a stereo MP3."""
    rng = np.random.default_rng(seed)
    beat_s = 60.0 / float(rng.uniform(80.0, 150.0))
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE, 2, format="MP3") as out:
        at = 0.0
        while at < seconds:
            time_s = np.arange(int(beat_s * RATE)) / RATE
            root = 110.0 * 2.0 ** (float(rng.integers(0, 12)) / 12.0)
            chord = sum(np.sin(2 * np.pi * root * ratio * time_s) for ratio in (0.5, 1.0, 1.26, 1.5, 2.0))
            hit = rng.standard_normal((time_s.size, 2)) * np.exp(-40.0 * time_s)[:, None]
            out.write((0.1 * (chord * np.exp(-3.0 * time_s))[:, None] + 0.2 * hit).astype(np.float32))
            at += beat_s
    return file.getvalue()


def alone(files: Sequence[bytes]) -> float:
    """CPU seconds that one warm process needs to measure files one after the other."""
    audio.warm_up()
    before = time.process_time()
    for data in files:
        audio.measure_file(data)
    return time.process_time() - before


def scaled(files: Sequence[bytes], autoscale: str) -> dict[str, float]:
    """Measure files as stored takes by a worker on a stack of its own."""
    with tempfile.TemporaryDirectory(prefix="listen-autoscale-") as folder:
        shape = Shape(beat=False, flower=False, callbacks=False, groups={"listen": autoscale})
        with embedded(Path(folder), shape) as stack:
            _finish(stack, _store(files[:WARM_UP]))
            rows = _store(files)
            worker = stack.supervisor.pid("worker-listen")
            assert worker is not None
            before_s, started = _cpu_s(worker), time.monotonic()
            most = _finish(stack, rows)
            figures = {"cpu_s": _cpu_s(worker) - before_s, "wall_s": time.monotonic() - started, "processes": most}
        remove_servers_folder(stack.home)
    return figures


def _store(files: Sequence[bytes]) -> list[int]:
    """Write the rows of generations whose one take lies in the store; give their ids."""
    with studio().begin() as session:
        bounds = {"stand-in": Bounds(tempo_bpm=(80.0, 150.0))}
        profile = Profile(
            persona="Is listened to, and does nothing else.", personality={"patience": 1.0}, corridor=bounds
        )
        name = f"Heard {uuid.uuid4().hex[:8]}"
        owner = artist.create(session, profile, name=name, language="en", countries=["US"], slots=len(files), seed=1)
        turn = cycles.start(session, owner, studio().settings)
        assert turn is not None
        words = Brief(style="x", title="x", lyrics=None, negative_tags="", vocal_gender=None, model="V5")
        later = func.now() + timedelta(hours=1)
        common = {"cycle_id": turn.id, "asked_genre": "stand-in", "asked_values": [0.5] * 5, "why_asked": "a benchmark"}
        for slot, data in enumerate(files, start=1):
            state = {
                "brief": vars(words),
                "provider": "sunoapi",
                "state": generation.COMPLETE,
                "reference": uuid.uuid4(),
            }
            row = Generation(slot=slot, **common, **state, due_at=later, deadline_at=later)
            session.add(row)
            session.flush()
            key = studio().store.put(data, ".mp3")
            made = {"provider_id": "x", "source_url": "x", "state": take.STORED, "audio_key": key}
            session.add(Take(generation_id=row.id, number=1, **made))
        return [row.id for row in generation.of_cycle(session, turn.id)]


def _finish(stack: Stack, rows: Sequence[int]) -> int:
    """Send `listen` for all rows and wait until all are heard; give the most pool processes seen."""
    for row in rows:
        canvases.stage("listening.listen", row).apply_async(ignore_result=True)
    left = select(func.count()).where(Generation.id.in_(rows), Generation.finished_at.is_(None))
    most = 0
    while True:
        stack.supervisor.poll()
        pid = stack.supervisor.pid("worker-listen")
        most = max(most, len(psutil.Process(pid).children()) if pid else 0)
        with studio().begin() as session:
            if not session.scalar(left):
                failed = select(func.count()).where(Take.generation_id.in_(rows), Take.state != take.MEASURED)
                assert not session.scalar(failed), "a take could not be measured"
                return most
        time.sleep(0.5)


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children, those that have ended included."""
    main = psutil.Process(pid)
    spent = main.cpu_times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for child in main.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            total += times.user + times.system
    return float(total)


def main() -> None:
    """Measure both, each in a process of its own, because a process has the settings of one stack."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listen_autoscale", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only one JSON line")
    parser.add_argument("--tracks", type=int, default=50, help="stored takes")
    parser.add_argument("--seconds", type=float, default=120.0, help="length of a take")
    given = parser.parse_args()
    # Like every worker of the stack: one thread a process.
    os.environ.update(programs.COMPUTING)
    made = [recording(seed, given.seconds) for seed in range(min(RECORDINGS, given.tracks))]
    files = [made[number % len(made)] for number in range(given.tracks)]
    half = len(files) // 2
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as one_by_one:
        first_s = one_by_one.submit(alone, files[:half]).result()
        worker = one_by_one.submit(scaled, files, "2,1").result()
        alone_s = (first_s + one_by_one.submit(alone, files[half:]).result()) / len(files)
    figures = {
        "tracks": len(files),
        "track_s": given.seconds,
        "cpu_s_a_track_alone": round(alone_s, 4),
        "cpu_s_a_track_in_the_worker": round(worker["cpu_s"] / len(files), 4),
        "ratio": round(worker["cpu_s"] / len(files) / alone_s, 3),
        "wall_s": round(worker["wall_s"], 1),
        "pool_processes": worker["processes"],
    }
    print(json.dumps(figures, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


if __name__ == "__main__":
    main()
