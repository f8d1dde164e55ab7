"""Do all workers together stay within a provider's limits, and use what is allowed? `python -m benchmarks.throttle`.

Four Celery workers call a stand-in that allows each of two accounts 20 calls in any 10 s and 10 at a time; a call takes
1 s and there is always more to do. Counted are, from the end of the first window on, calls that the stand-in refused,
and those that it took, as a share of what it allows. Beside the governor, the usual means: half as long each.
"""

import contextlib
import importlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks._throttle_server import CALLS, WINDOW_S
from benchmarks._throttle_shares import shares
from muzikantas.local import Home, Service, Supervisor, Valkey, remove_servers_folder
from muzikantas.local.ports import remembered
from muzikantas.local.programs import environment

ROOT = Path(__file__).parents[1]
PEERS = Path(sys.prefix) / "bench-peers"
#: The versions that were measured.
LIBRARIES = {"limits": "5.8.0", "pyrate-limiter": "4.5.1"}
WORKERS, PROCESSES, ACCOUNTS = 4, 4, 2


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The last line is one JSON object.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=5),
    default=60.0,
    show_default=True,
    help="Seconds that count, in whole windows.",
)
def main(*, as_json: bool, seconds: float) -> None:
    """Measure the governor and its peers."""
    install_peers()
    with _servers() as bench:
        found = bench.measure("governor", _whole_windows(seconds))
        half = _whole_windows(seconds / 2)
        peers = {name: bench.measure(name, half) for name in ("rate_limit", "limits", "pyrate_limiter")}
        _say("one artist's few requests among another's many")
        found["shares"] = shares(f"{bench.broker}/0")
    result = {"benchmark": "throttle", **found, "peers": peers, "versions": {"celery": _celery(), **LIBRARIES}}
    click.echo(json.dumps(result, indent=None if as_json else 2))


def install_peers() -> None:
    """Install the other libraries beside ours, once."""
    wanted = [f"{name}=={version}" for name, version in LIBRARIES.items()]
    done = PEERS / "installed"
    if done.exists() and done.read_text() == " ".join(wanted):
        return
    _say(f"installing {', '.join(wanted)} into {PEERS.name}")
    shutil.rmtree(PEERS, ignore_errors=True)
    options = ["-qq", "--no-input", "--disable-pip-version-check", "--target", str(PEERS)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *wanted], check=True, stdout=sys.stderr)
    done.write_text(" ".join(wanted))


@contextlib.contextmanager
def _servers() -> Iterator["Bench"]:
    """Run the broker and the stand-in in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="muzikantas-bench-") as folder:
        home = Home(Path(folder))
        with Supervisor(home.run, home.logs) as supervisor:
            valkey = Valkey(home)
            port = remembered(home.data / "ports.json", "provider")
            bench = Bench(valkey.url().removesuffix("/0"), port, home)
            argv = [sys.executable, "-m", "benchmarks._throttle_server", str(port)]
            provider = Service(name="provider", argv=argv, env=environment({}), cwd=ROOT, ready=bench.answers)
            supervisor.start([valkey.service(), provider])
            yield bench
        remove_servers_folder(home)


class Bench:
    """A broker, a provider that counts, and workers for one way at a time."""

    def __init__(self, broker: str, port: int, home: Home) -> None:
        self.broker = broker
        self.port = port
        self.home = home
        self.runs = 0

    def measure(self, way: str, seconds: float) -> dict[str, Any]:
        """Start workers and more work than there is room for; count what the provider saw."""
        self.runs += 1
        self._log("reset")
        env = self._environment(f"{self.broker}/{self.runs}")
        self._send(way, env, jobs=int(1.5 * ACCOUNTS * CALLS * (seconds / WINDOW_S + 3)))
        _say(f"{way}: {WORKERS} workers start")
        folder = Home(self.home.path / way)
        with Supervisor(folder.run, folder.logs) as workers:
            workers.start([_worker(way, number, env) for number in range(WORKERS)])
            begin = self._first_call() + WINDOW_S
            while (log := self._log("log"))["now"] < begin + seconds:
                workers.poll()
                time.sleep(0.2)
        found = _count(log, begin, begin + seconds)
        _say(f"{way}: {found}")
        return found

    def answers(self) -> bool:
        """Tell whether the provider is there."""
        try:
            self._log("log")
        except OSError:
            return False
        return True

    def _environment(self, broker: str) -> dict[str, str]:
        values = {"REDIS_URL": broker, "MUZ_HOME": str(self.home.path), "MUZ_LOG_LEVEL": "WARNING"}
        return environment({**values, "BENCH_PORT": str(self.port), "BENCH_PEERS": str(PEERS)})

    def _send(self, way: str, env: dict[str, str], jobs: int) -> None:
        code = f"from benchmarks import _throttle_tasks as t\nfor n in range({jobs}): t.{way}.delay(n)"
        subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True)

    def _first_call(self) -> float:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            times = [at for each in self._log("log")["accepted"].values() for at in each]
            if times:
                return float(min(times))
            time.sleep(0.1)
        raise RuntimeError(f"no call within 60 s; see the workers' logs in {self.home.logs}")

    def _log(self, what: str) -> Any:  # noqa: ANN401 (the provider's log as JSON)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{what}", timeout=5) as answer:
            return json.load(answer)


def _whole_windows(seconds: float) -> float:
    """Round up: in a part of a window all that the whole allows may be called, or nothing."""
    return math.ceil(seconds / WINDOW_S) * WINDOW_S


def _worker(way: str, number: int, env: dict[str, str]) -> Service:
    options = ["-c", str(PROCESSES), "-Q", "default", "-n", f"{way}-{number}@bench", "-l", "warning"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Service(
        name=f"{way}-{number}",
        argv=[sys.executable, "-m", "celery", "-A", "benchmarks._throttle_tasks", "worker", *options, *quiet],
        env=env,
        cwd=ROOT,
        stop_signal=signal.SIGKILL,
        death_signal=signal.SIGKILL,
    )


def _count(log: dict[str, Any], begin: float, end: float) -> dict[str, Any]:
    """Count the calls of one stretch of time."""
    accepted = sum(_within(times, begin, end) for times in log["accepted"].values())
    reasons = {reason: _within(times, begin, end) for reason, times in log["rejected"].items()}
    rejected = sum(reasons.values())
    allowed = ACCOUNTS * CALLS * round((end - begin) / WINDOW_S)
    return {
        "rejected": rejected,
        "rejected_for": reasons,
        "rejected_before": sum(_within(times, 0, begin) for times in log["rejected"].values()),
        "accepted": accepted,
        "allowed": allowed,
        "utilisation": round(accepted / allowed, 4),
        "turn_s": _turn_s([at for at in times if at >= begin] for times in log["accepted"].values()),
        "seconds": round(end - begin, 1),
    }


def _turn_s(accounts: Iterable[list[float]]) -> float | None:
    """Give the mean time after which the place of a call was used again; it is free after the window."""
    turns = [later - at for times in accounts for at, later in zip(times, times[CALLS:], strict=False)]
    return round(sum(turns) / len(turns), 3) if turns else None


def _within(times: list[float], begin: float, end: float) -> int:
    return sum(begin <= at < end for at in times)


def _celery() -> str:
    return str(importlib.import_module("celery").__version__)


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
