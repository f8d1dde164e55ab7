"""The work of a run in pieces of one seed each, done by processes of one thread."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from benchmarks._learning import claimed, fourth_artist, persona
from benchmarks._learning.bounds import random_batch
from benchmarks._learning.contest import compete
from benchmarks._learning.runs import Curve
from benchmarks._learning.scenarios import BASE, MARKETS
from muzikantas.analysis.policy import propose

#: Scenarios that are no market of their own.
COLD_START, BAD_PERSONA, CLAIMS = "cold start", "bad persona", "claims"
#: Careers that a job of claims reports on: those that choose at random take milliseconds, those of our policy seconds.
CLAIMS_A_JOB, OURS_A_JOB = 30, 6
#: Careers with a change of persona that a job tries: 30 alone would tell a share of 80 % from 65 % only.
PERSONAS_A_JOB = 4


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
    """Reports on careers without any taste (styles drawn at random, and chosen by us), and with one true effect."""

    null: list[list[bool]]
    ours: list[list[bool]]
    one_effect: list[claimed.Reported]


@dataclass(frozen=True, kw_only=True, eq=False)
class Personas:
    """Careers with a bad change, and careers with harmless ones."""

    bad: list[persona.Trial]
    harmless: list[list[persona.Trial]]


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
        seeds = _seeds(job, PERSONAS_A_JOB)
        return Personas(
            bad=[persona.harmful(BASE, seed) for seed in seeds],
            harmless=[persona.harmless(BASE, seed) for seed in seeds],
        )
    if job.scenario == CLAIMS:
        seeds = _seeds(job, CLAIMS_A_JOB)
        return Claims(
            null=[claimed.null_career(random_batch, seed) for seed in seeds],
            ours=[claimed.null_career(propose, seed) for seed in seeds[:OURS_A_JOB]],
            one_effect=[claimed.one_effect(seed) for seed in seeds],
        )
    curves, career = compete(MARKETS[job.scenario], job.seed, peers=job.peers, switches=job.switches)
    return Contest(curves=curves, reports=claimed.null_reports(career) if job.scenario == "null" else [])


def _seeds(job: Job, count: int) -> range:
    """Give a job's own seeds: those of neighbouring jobs do not overlap."""
    return range(count * job.seed, count * (job.seed + 1))
