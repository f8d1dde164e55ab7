"""Our own programs as services: workers (a group a queue), beat, Flower and the sandbox."""

import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from celery import Celery

from muzikantas.local.service import Service

#: Worker groups and their `--autoscale` (most, least). Listening burns CPU; the others wait for providers.
GROUPS = {"suno": "2,1", "media": "2,1", "listen": "2,1", "llm": "2,1", "spotify": "2,1", "default": "2,1"}
#: Names of the services that a program needs: it starts after them and ends before them.
Servers = tuple[str, ...]
#: A worker that is asked to stop lets its tasks end for `worker_soft_shutdown_timeout`, then hands them back.
WORKER_GRACE_S = 25.0


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """Give the whole environment of a program of ours: a few names of this one, and the settings of the stack."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ}
    return {**kept, **COMPUTING, **values}


#: One process a core: the threads of BLAS and of numba would only fight each other (`--autoscale` adds processes).
COMPUTING = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(Path(sys.prefix) / "share" / "muzikantas" / "numba")),
    "PYTHONUNBUFFERED": "1",
}


def worker(queue: str, autoscale: str, env: Mapping[str, str], app: "Celery[Any]", after: Servers) -> Service:
    """One group of workers for one queue; ready when it answers a ping through the broker."""
    node = f"{queue}@muzikantas"

    def ready() -> bool:
        return bool(app.control.ping(destination=[node], timeout=1.0))

    options = ["-Q", queue, "-n", node, f"--autoscale={autoscale}", "--without-gossip", "--without-mingle"]
    return Service(
        name=f"worker-{queue}",
        argv=[sys.executable, "-m", "celery", "-A", "muzikantas", "worker", *options],
        env=env,
        ready=ready,
        ready_timeout_s=90.0,
        after=after,
        stop_grace_s=WORKER_GRACE_S,
        death_signal=signal.SIGKILL,
    )


def beat(env: Mapping[str, str], run_dir: Path, after: Servers) -> Service:
    """Give the one scheduler."""
    schedule = run_dir / "beat-schedule"
    return Service(
        name="beat",
        argv=[sys.executable, "-m", "celery", "-A", "muzikantas", "beat", "--schedule", str(schedule), "--pidfile="],
        env=env,
        after=after,
    )


def flower(env: Mapping[str, str], port: int, password: str, after: Servers) -> Service:
    """Flower on loopback, read-only, behind a password that is not on its command line."""
    return Service(
        name="flower",
        argv=[sys.executable, "-m", "celery", "-A", "muzikantas", "flower", "--address=127.0.0.1", f"--port={port}"],
        env={**env, "FLOWER_BASIC_AUTH": f"muzikantas:{password}", "FLOWER_READ_ONLY": "True"},
        ready=_answers(f"http://127.0.0.1:{port}/healthcheck"),
        ready_timeout_s=60.0,
        secrets=(password,),
        after=after,
    )


def callbacks(env: Mapping[str, str], port: int, after: Servers) -> Service:
    """Give the service that hears the providers' callbacks."""
    return Service(
        name="callbacks",
        argv=[sys.executable, "-m", "muzikantas.api", "--port", str(port)],
        env=env,
        ready=_answers(f"http://127.0.0.1:{port}/health"),
        ready_timeout_s=60.0,
        after=after,
    )


def sandbox(env: Mapping[str, str], port: int, data: Path, *options: str) -> Service:
    """Stand-ins for all providers."""
    return Service(
        name="sandbox",
        argv=[sys.executable, "-m", "muzikantas.sandbox", "--port", str(port), "--data", str(data), *options],
        env=env,
        ready=_answers(f"http://127.0.0.1:{port}/admin/health"),
        ready_timeout_s=60.0,
    )


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310 (a loopback address of our own)
                return True
        except OSError:
            return False

    return ready
