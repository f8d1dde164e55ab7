"""The work of a run in pieces of one seed each, done by processes of one thread."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from benchmarks._learning import claimed, fourth_artist, persona
from benchmarks._learning.contest import compete
from benchmarks._learning.runs import Curve
from benchmarks._learning.scenarios import BASE, MARKETS

#: Scenarios that are no market of their own.
COLD_START, BAD_PERSONA, CLAIMS = "cold start", "bad persona", "claims"
#: Careers that a job of claims reports on: each takes milliseconds.
CLAIMS_A_JOB = 30


@dataclass(frozen=True, kw_only=True)
class Job:
    """One seed of one scenario; `peers` and `switches` say who takes part besides our policy."""

    scenario: str
    seed: int
    peers: bool = False
    switches: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """What a market gave: a curve a policy, and whether our career's reports claimed anything."""

    curves: dict[str, Curve]
    reports: list[bool]


@dataclass(frozen=True, kw_only=True, eq=False)
class Claims:
    """Reports on random careers: without any taste, and with one true effect."""

    null: list[list[bool]]
    one_effect: list[claimed.Reported]


@dataclass(frozen=True, kw_only=True, eq=False)
class Personas:
    """A career with a bad change, and one with harmless ones."""

    bad: persona.Trial
    harmless: list[persona.Trial]


Answer = Contest | Claims | Personas | fourth_artist.Start


def done(jobs: Sequence[Job], processes: int) -> Iterator[tuple[Job, Answer]]:
    """Do the jobs, in whatever order they end."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    os.environ.update(one_thread)  # before the processes load their linear algebra
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: dict[Any, Job] = {pool.submit(do, job): job for job in jobs}
        for future in as_completed(running):
            yield running[future], future.result()


def do(job: Job) -> Answer:
    """Do one job."""
    if job.scenario == COLD_START:
        return fourth_artist.start(BASE, job.seed)
    if job.scenario == BAD_PERSONA:
        return Personas(bad=persona.harmful(BASE, job.seed), harmless=persona.harmless(BASE, job.seed))
    if job.scenario == CLAIMS:
        seeds = range(CLAIMS_A_JOB * job.seed, CLAIMS_A_JOB * (job.seed + 1))
        return Claims(
            null=[claimed.null_career(seed) for seed in seeds], one_effect=[claimed.one_effect(seed) for seed in seeds]
        )
    curves, career = compete(MARKETS[job.scenario], job.seed, peers=job.peers, switches=job.switches)
    return Contest(curves=curves, reports=claimed.null_reports(career) if job.scenario == "null" else [])
