"""`muzikantas analyze`: what the listener hears in audio files."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from muzikantas.local.crew import Lost, Program, work
from muzikantas.local.programs import COMPUTING

#: What is looked for in a folder; formats that we refuse are among them, for a user wants to know.
SUFFIXES = frozenset(
    f".{name}"
    for names in ("mp3 wav flac ogg oga opus aif aiff aifc caf au rf64", "m4a mp4 aac wma webm mka mp2 amr")
    for name in names.split()
)

#: Of the length that a file announces this share may be missing without a word: encoders differ by some frames.
CUT = 0.05

Heard = dict[str, Any]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One object a line: file and features, or file and error.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Files at the same time.")
def analyze(files: tuple[Path, ...], as_json: bool, jobs: int) -> None:  # noqa: FBT001 (click's signature)
    """Measure audio files: tempo, key, loudness, energy and more, a line a file. A folder stands for all below it.

    A file that cannot be measured is a line with its reason, and the others go on; the exit code is then 1.
    """
    found = expanded(files)
    failed = 0
    console = Console(stderr=True)
    # Rich would send standard output to its console, and a file behind `>` would stay empty.
    bar = Progress(
        console=console, transient=True, redirect_stdout=sys.stdout.isatty(), disable=not console.is_terminal
    )
    with bar:
        for line in bar.track(listen(found, jobs), total=len(found), description="Listening"):
            failed += "error" in line
            click.echo(json.dumps(line, ensure_ascii=False) if as_json else _line(line))
    if failed:
        raise click.exceptions.Exit(1)


def expanded(paths: Sequence[Path]) -> list[Path]:
    """Put the audio files below each folder in its place, sorted; a folder without any stays, and is refused later."""
    files: list[Path] = []
    for path in paths:
        below = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
        files += below or [path]
    return files


def listen(files: Sequence[Path], jobs: int) -> Iterator[Heard]:
    """Measure files in processes of their own, in the order given; a file that kills its process fails alone."""
    # `-P`: the folder that somebody happens to be in is no place to import from.
    program = Program(argv=[sys.executable, "-P", "-m", "muzikantas.cli.listener"], env={**COMPUTING, **os.environ})
    results = work(program, [os.fspath(path) for path in files], size=jobs)
    for path, result in zip(files, results, strict=True):
        lost = isinstance(result, Lost)
        heard = {"error": f"the process that listened to it {result.reason}"} if lost else result
        # A name need not be text: what cannot be printed is replaced.
        yield {"file": click.format_filename(path), **heard}


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
    if heard["missing_share"] > CUT:
        words.append(f"({heard['missing_share']:.0%} of its announced length is missing)")
    return f"{'  '.join(words)}  {heard['file']}"
