"""Hundreds of generations in flight on two worker processes: how close to the provider's own pace, at what price.

`makespan_over_ideal`: 200 generations of 10 s each with 100 slots take 20 s at best. Then 1,000 at once: memory and CPU
of the workers for each. Only the paid-call stage runs, as in production; the provider is a stand-in that only waits.
"""

import argparse
import contextlib
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psutil
from sqlalchemy import func, select

from benchmarks import _blocking_peer as peer
from muzikantas.domain.brief import Brief
from muzikantas.domain.profile import Bounds, Profile
from muzikantas.local import ports, programs, remove_servers_folder
from muzikantas.local.service import Service
from muzikantas.local.stack import Shape, Stack, embedded
from muzikantas.models import artist, generation
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from muzikantas.tasks import canvases, cycles

ROOT = Path(__file__).parents[1]
JOB_S = 10.0
PROCESSES = 2
#: Enough for every process to open its connections, and for the usual duration to be an observed one.
WARM_UP = 8
#: Counting shared pages takes the kernel a tenth of a second, which the workers would miss.
MEMORY_EVERY_S = 3.0
#: The blocking way would need `jobs * JOB_S / PROCESSES` seconds; so few of them show its pace.
PEER_JOBS = 4


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """How many generations, in how many slots of the provider's."""

    jobs: int
    slots: int
    callbacks: bool = False  #: whether the provider can tell us that a job is done; else we look

    @property
    def ideal_s(self) -> float:
        """The provider's own pace."""
        return -(-self.jobs // self.slots) * JOB_S


def measure(scenario: Scenario) -> dict[str, float]:
    """Run one scenario on a stack of its own; the provider first, so that the stack can be told where it is."""
    with tempfile.TemporaryDirectory(prefix="in-flight-") as folder:
        port = ports.remembered(Path(folder) / "provider.json", "provider")
        with provider(port) as url, embedded(Path(folder), shape(url, scenario)) as stack:
            figures = _ours(stack, url, scenario)
        remove_servers_folder(stack.home)
    return figures


def measure_peer(jobs: int) -> dict[str, float]:
    """Run the blocking way with the same number of processes; its pace does not depend on how many jobs there are."""
    with tempfile.TemporaryDirectory(prefix="in-flight-peer-") as folder:
        port = ports.remembered(Path(folder) / "provider.json", "provider")
        with (
            provider(port) as url,
            embedded(Path(folder), replace(shape(url, Scenario(jobs=jobs, slots=jobs)), groups={})) as stack,
        ):
            figures = _peer(stack, jobs)
        remove_servers_folder(stack.home)
    return figures


@contextlib.contextmanager
def provider(port: int) -> Iterator[str]:
    """Run the stand-in as a process of its own; give its address."""
    argv = [sys.executable, "-m", "benchmarks._slow_provider", "--port", str(port), "--seconds", str(JOB_S)]
    process = subprocess.Popen(argv)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def shape(url: str, scenario: Scenario) -> Shape:
    """One worker of two processes for paid calls; the first guess of the usual duration is right, as in production."""
    overrides = {
        "SUNO_BASE_URL": url,
        "SUNO_USUAL_S": str(JOB_S),
        "SUNO_CONCURRENCY": str(scenario.slots),
        "SUNO_RATE_CALLS": "1000",
        "SUNO_RATE_WINDOW_S": "10",
    }
    groups = {"suno": f"{PROCESSES},{PROCESSES}"}
    return Shape(beat=False, flower=False, callbacks=scenario.callbacks, groups=groups, overrides=overrides)


def _ours(stack: Stack, url: str, scenario: Scenario) -> dict[str, float]:
    """Warm up, then send everything at once and wait for the last."""
    _finish(stack, _intend(WARM_UP))
    worker = _processes(stack, "worker-suno")
    rows = _intend(scenario.jobs)
    servers = [each for name in ("valkey", "postgres") for each in _processes(stack, name)]
    before_s, before_bytes, servers_s = _cpu_s(worker), _memory(worker), _cpu_s(servers)
    started = time.monotonic()
    most = _finish(stack, rows, watched=worker)
    makespan_s = time.monotonic() - started
    count = _ask(f"{url}/count")
    return {
        "jobs": scenario.jobs,
        "slots": scenario.slots,
        "makespan_s": round(makespan_s, 2),
        "makespan_over_ideal": round(makespan_s / scenario.ideal_s, 3),
        "worker_cpu_s_per_generation": round((_cpu_s(worker) - before_s) / scenario.jobs, 4),
        "server_cpu_s_per_generation": round((_cpu_s(servers) - servers_s) / scenario.jobs, 4),
        "worker_kb_per_generation": round((most - before_bytes) / 1024 / scenario.jobs, 1),
        "worker_mb": round(most / 2**20, 1),
        "most_in_flight": count["most"],
        "looks_per_generation": round(count["looks"] / count["jobs"], 2),
    }


def _intend(jobs: int) -> list[int]:
    """Write the rows of a cycle with so many slots; give their ids."""
    with studio().begin() as session:
        bounds = {"stand-in": Bounds(tempo_bpm=(80.0, 140.0))}
        profile = Profile(persona="Waits, and does nothing else.", personality={"patience": 1.0}, corridor=bounds)
        name = f"Patience {uuid.uuid4().hex[:8]}"
        owner = artist.create(session, profile, name=name, language="en", countries=["US"], slots=jobs, seed=1)
        turn = cycles.start(session, owner, studio().settings)
        assert turn is not None
        words = Brief(style="x", title="x", lyrics=None, negative_tags="", vocal_gender=None, model="V5")
        later = func.now() + timedelta(hours=1)
        common = {"cycle_id": turn.id, "asked_genre": "stand-in", "asked_values": [0.5], "why_asked": "a benchmark"}
        for slot in range(1, jobs + 1):
            fresh = {"slot": slot, "reference": uuid.uuid4(), "brief": vars(words), "provider": "sunoapi"}
            session.add(Generation(**common, **fresh, due_at=later, deadline_at=later))
        session.flush()
        return [row.id for row in generation.of_cycle(session, turn.id)]


def _finish(stack: Stack, rows: Sequence[int], watched: Sequence[psutil.Process] = ()) -> int:
    """Send `generate` for all rows and wait until all are complete; give the most memory that was used meanwhile."""
    for row in rows:
        canvases.stage("generation.generate", row).apply_async(ignore_result=True)
    most, looked = 0, 0.0
    left = select(func.count()).where(Generation.id.in_(rows), Generation.state != generation.COMPLETE)
    while True:
        stack.supervisor.poll()
        with studio().begin() as session:
            if not session.scalar(left):
                return most
        if time.monotonic() - looked > MEMORY_EVERY_S:
            most, looked = max(most, _memory(watched)), time.monotonic()
        time.sleep(0.1)


def _peer(stack: Stack, jobs: int) -> dict[str, float]:
    """Send the peer's tasks to a worker of as many processes."""
    env = programs.environment(stack.env)
    argv = [sys.executable, "-m", "celery", "-A", "benchmarks._blocking_peer", "worker", "-c", str(PROCESSES)]

    def ready() -> bool:
        return bool(peer.app.control.ping(timeout=1.0))

    peer.app.conf.update(broker_url=stack.env["REDIS_URL"], result_backend=stack.env["REDIS_URL"])
    stack.supervisor.start([Service(name="peer", argv=[*argv, "-Q", "peer"], env=env, cwd=ROOT, ready=ready)])
    worker = _processes(stack, "peer")
    before_s, started = _cpu_s(worker), time.monotonic()
    results = [peer.generate.delay() for _ in range(jobs)]
    for result in results:
        result.get(timeout=600)
    makespan_s = time.monotonic() - started
    return {
        "jobs": jobs,
        "makespan_s": round(makespan_s, 2),
        "worker_cpu_s_per_generation": round((_cpu_s(worker) - before_s) / jobs, 4),
        "jobs_per_s": round(jobs / makespan_s, 3),
    }


def _processes(stack: Stack, name: str) -> list[psutil.Process]:
    pid = stack.supervisor.pid(name)
    assert pid is not None
    main = psutil.Process(pid)
    return [main, *main.children(recursive=True)]


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Give the CPU time of those that are still there: PostgreSQL starts and ends helpers of its own."""
    seconds = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def _memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes that belong to these processes alone or in equal shares (PSS): pages shared by a fork count once."""
    return sum(process.memory_full_info().pss for process in processes)


def _ask(url: str) -> dict[str, int]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (a loopback address of ours)
        counted: dict[str, int] = json.load(answer)
        return counted


def main() -> None:
    """Run all scenarios, each in a process of its own, because a process has the settings of one stack."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.in_flight", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only one JSON line")
    given = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as one_by_one:
        polling = one_by_one.submit(measure, Scenario(jobs=200, slots=100)).result()
        told = one_by_one.submit(measure, Scenario(jobs=200, slots=100, callbacks=True)).result()
        crowd = one_by_one.submit(measure, Scenario(jobs=1000, slots=1000)).result()
        blocking = one_by_one.submit(measure_peer, PEER_JOBS).result()
    ideal_s = Scenario(jobs=200, slots=100).ideal_s
    whole_s = 200 / blocking["jobs_per_s"]
    figures = {
        **{name: polling[name] for name in ("makespan_s", "makespan_over_ideal")},
        "callbacks_off": polling,
        "callbacks_on": told,
        "thousand_in_flight": crowd,
        "peers": {
            "blocking prefork": {**blocking, "makespan_over_ideal_of_200": round(whole_s / ideal_s, 1)},
        },
    }
    print(json.dumps(figures, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


if __name__ == "__main__":
    main()
