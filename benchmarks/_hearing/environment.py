"""Makes the benchmark's own environment in a cache folder, and says what could not be installed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

#: Peers that may fail to install without stopping the run, by the start of their engines' names.
OPTIONAL = {"essentia": "requirements-essentia.txt", "aubio": "requirements-aubio.txt"}

#: Installing takes one minute on a fast line.
INSTALL_TIMEOUT_S = 900.0


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A Python with corpus, synthesiser and peers, and why some peers are missing."""

    cache: Path
    python: Path
    missing: dict[str, str]

    def variables(self) -> dict[str, str]:
        """Environment variables for a child: our modules importable, one thread each, compiled code kept."""
        numba = os.environ.get("NUMBA_CACHE_DIR", str(self.cache / "numba"))
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        return os.environ | threads | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": numba}


def cache_folder() -> Path:
    """Where environments and rendered audio stay between runs."""
    return Path(os.environ.get("BENCH_CACHE") or Path.home() / ".cache" / "muzikantas-bench")


def prepare() -> Environment:
    """Install everything once; a new list of requirements makes a new environment.

    Raises
    ------
    subprocess.CalledProcessError
        When corpus or synthesiser do not install: without them there is nothing to hear.
    """
    cache = cache_folder()
    lists = [HERE / "requirements.txt", *(HERE / name for name in OPTIONAL.values())]
    digest = sha256(b"".join(path.read_bytes() for path in lists)).hexdigest()[:12]
    folder = cache / f"environment-{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        _install(python, HERE / "requirements.txt").check_returncode()
        reasons = {name: _reason(_install(python, HERE / file)) for name, file in OPTIONAL.items()}
        done.write_text("\n".join(f"{name}\t{reason}" for name, reason in reasons.items() if reason))
    missing = dict(line.split("\t", 1) for line in done.read_text().splitlines())
    return Environment(cache=cache, python=python, missing=missing)


def _install(python: Path, requirements: Path) -> subprocess.CompletedProcess[str]:
    """Install a complete, pinned and hashed list with the ordinary client."""
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--require-hashes"]
    argv = [*pip, "-r", str(requirements)]
    finished = subprocess.run(argv, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    if finished.returncode != 0:
        sys.stderr.write(finished.stderr)
    return finished


def _reason(finished: subprocess.CompletedProcess[str]) -> str:
    """Why an installation failed, in one line; empty when it did not."""
    lines = finished.stderr.strip().splitlines()
    return "" if finished.returncode == 0 else (lines[-1] if lines else f"exit code {finished.returncode}")
