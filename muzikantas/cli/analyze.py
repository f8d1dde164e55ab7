"""`muzikantas analyze`: what the listener hears in audio files."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from muzikantas.local.programs import COMPUTING

Heard = dict[str, Any]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One object a line: file and features, or file and error.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Files at the same time.")
def analyze(files: tuple[Path, ...], as_json: bool, jobs: int) -> None:  # noqa: FBT001 (click's signature)
    """Measure audio files: tempo, key, loudness, energy and more, a line a file.

    A file that cannot be measured is a line with its reason, and the others go on; the exit code is then 1.
    """
    failed = 0
    console = Console(stderr=True)
    # Rich would send standard output to its console, and a file behind `>` would stay empty.
    bar = Progress(
        console=console, transient=True, redirect_stdout=sys.stdout.isatty(), disable=not console.is_terminal
    )
    with bar:
        for line in bar.track(listen(files, jobs), total=len(files), description="Listening"):
            failed += "error" in line
            click.echo(json.dumps(line, ensure_ascii=False) if as_json else _line(line))
    if failed:
        raise click.exceptions.Exit(1)


def listen(files: Sequence[Path], jobs: int) -> Iterator[Heard]:
    """Measure files in child processes, in the order given; a file that kills its child fails alone."""
    for name, value in COMPUTING.items():
        os.environ.setdefault(name, value)
    # Spawned, not forked: the progress bar has a thread, and a forked copy of its locks could hang.
    with _pool(min(jobs, len(files))) as pool:
        for path, future in [(path, _submitted(pool, path)) for path in files]:
            try:
                if future is None:
                    raise BrokenProcessPool
                yield future.result()
            except BrokenProcessPool:
                yield _alone(path)


def _submitted(pool: ProcessPoolExecutor, path: Path) -> "Future[Heard] | None":
    try:
        return pool.submit(hear, str(path))
    except BrokenProcessPool:
        return None


def _pool(size: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(size, mp_context=get_context("spawn"))


def _alone(path: Path) -> Heard:
    """Measure a file in a pool of its own: which one broke the shared pool, nobody knows."""
    with _pool(1) as pool:
        try:
            return pool.submit(hear, str(path)).result()
        except BrokenProcessPool:
            return {
                "file": str(path),
                "error": "the process that listened to it was killed (a damaged file, or memory)",
            }


def hear(file: str) -> Heard:
    """Measure one file; in a child process."""
    from muzikantas.analysis import audio  # noqa: PLC0415 (librosa: only children that measure pay its import)
    from muzikantas.domain.errors import UnusableAudio  # noqa: PLC0415 (as above)

    try:
        features = audio.measure(*audio.decode(Path(file).read_bytes()))
    except OSError as error:
        return {"file": file, "error": f"cannot be read: {error.strerror}"}
    except UnusableAudio as error:
        return {"file": file, "error": str(error)}
    except Exception as error:  # noqa: BLE001 (what an engine raises on one file must not cost the others)
        return {"file": file, "error": f"{type(error).__name__}: {error}"}
    return {"file": file, **vars(features)}


def _line(heard: Heard) -> str:
    if "error" in heard:
        return f"{heard['file']}: {heard['error']}"
    minutes, seconds = divmod(round(heard["duration_s"]), 60)
    words = [
        f"{minutes:>3}:{seconds:02}",
        f"{heard['tempo_bpm']:>6.1f} bpm",
        f"{heard['key']:>2} {heard['mode']:<5}",
        f"{heard['loudness_lufs']:>6.1f} LUFS",
        f"energy {heard['energy']:.2f}",
        f"brightness {heard['brightness_hz']:>5.0f} Hz",
        f"valence {heard['valence']:.2f}",
        f"percussive {heard['percussive_ratio']:.2f}",
    ]
    return f"{'  '.join(words)}  {heard['file']}"
