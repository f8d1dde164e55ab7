"""The rendered set and what an engine hears in it; each step is kept in the cache until its code changes."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks._hearing.environment import HERE, ROOT, Environment
from benchmarks._hearing.pieces import Half
from benchmarks._hearing.score import Answer, Truth

#: Modules that make pieces and clips: what they made before is made anew when they change.
READERS, RENDERERS = ("corpus",), ("harmony", "arrange", "sound", "render")


def rendered(
    env: Environment, *, seed: int, count: int, processes: int, half: Half = "test"
) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Render clips of one half, if they are not there; give their folder and what is known of each by file name."""
    folder = env.cache / f"clips-{_version('pieces', *READERS, *RENDERERS)}-{half}-{seed}-{count}"
    return folder, rendered_into(env, folder, seed=seed, count=count, processes=processes, half=half)


def rendered_into(
    env: Environment, folder: Path, *, seed: int, count: int, processes: int, half: Half
) -> dict[str, dict[str, Any]]:
    """Render clips of one half into a folder, unless it has as many; give what is known of each by file name."""
    pieces = _pieces(env, processes)
    manifests = [folder / f"manifest-{part}.json" for part in range(processes)]
    if len(_rows(manifests)) < count:
        given = [str(pieces), str(folder), "--half", half, "--seed", str(seed), "--count", str(count)]
        with ThreadPoolExecutor(processes) as threads:
            parts = [[*given, "--part", f"{part}/{processes}"] for part in range(processes)]
            list(threads.map(lambda argv: run_module(env, "render", argv), parts))
    return {row["file"]: row for row in sorted(_rows(manifests), key=lambda row: str(row["file"]))}


def truth(row: Mapping[str, Any]) -> Truth:
    """What a clip was rendered with, of all that is known of it."""
    return Truth(tempo_bpm=row["tempo_bpm"], key=row["key"], mode=row["mode"])


def _version(*names: str) -> str:
    """Changes with the code of some modules and with the packages."""
    files = [*(HERE / f"{name}.py" for name in names), HERE / "requirements.txt"]
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _rows(manifests: Sequence[Path]) -> list[dict[str, Any]]:
    """All clips that were rendered; fewer than wanted when a run was stopped."""
    return [row for path in manifests if path.exists() for row in json.loads(path.read_text())]


def _pieces(env: Environment, processes: int) -> Path:
    """Read the corpus, if it was not read before."""
    version = _version("pieces", *READERS)
    pieces = env.cache / f"pieces-{version}.jsonl"
    if not pieces.exists():
        parts = [env.cache / f"pieces-{version}.part{part}" for part in range(processes)]
        with ThreadPoolExecutor(processes) as threads:
            argvs = [[str(path), "--part", f"{part}/{processes}"] for part, path in enumerate(parts)]
            list(threads.map(lambda argv: run_module(env, "corpus", argv), argvs))
        pieces.write_text("".join(path.read_text() for path in parts))
    return pieces


def heard(env: Environment, engine: str, files: Sequence[Path]) -> dict[str, Answer]:
    """Let an engine hear files; those that it cannot hear are missing.

    What a peer answers is kept: its version is pinned and the files do not change. We are heard anew each time.
    """
    version = sha256(
        b"".join(path.read_bytes() for path in (HERE / "peers.py", *sorted(HERE.glob("requirements*.txt"))))
    )
    kept = files[0].parent / f"{engine} {version.hexdigest()[:12]}.json"
    ours = engine == "muzikantas"
    last = kept.read_text() if kept.exists() else run_module(env, "peers", [engine, *map(str, files)], ours=ours)
    if not ours:
        kept.write_text(last)
    return {name: Answer(tempo_bpm=bpm, key=key, mode=mode) for name, (bpm, key, mode) in json.loads(last).items()}


def run_module(env: Environment, module: str, argv: Sequence[str], *, ours: bool = False) -> str:
    """Run one of our modules, in our own Python or the benchmark's; give the last line of its output."""
    python = sys.executable if ours else str(env.python)
    command = [python, "-m", f"benchmarks._hearing.{module}", *argv]
    done = subprocess.run(command, cwd=ROOT, env=env.variables(), stdout=subprocess.PIPE, text=True, check=True)
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else ""
