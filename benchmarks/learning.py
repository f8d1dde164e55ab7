"""How much of what could be won does the policy win, beside what others would choose? `python -m benchmarks.learning`.

Simulated markets with hidden tastes, drift and a break, boredom, luck and late reports; 30 cycles of 8 tracks. All meet
the same market, luck and delays. See `docs/howto/learning-benchmark.md` for how to read it, and which seeds and
settings are for tuning.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from benchmarks._learning import jobs, table
from benchmarks._learning.scenarios import DEFAULT, MARKETS

EXTRAS = (jobs.COLD_START, jobs.BAD_PERSONA, jobs.CLAIMS)
#: Scenarios in which the policy's switches are turned one by one.
SWITCHED = ("base", "noisy")
#: Jobs of claims, whatever the seeds: a share of 5 % needs some hundred careers to be told from 10 %.
CLAIMS_JOBS = 10


def main() -> None:
    """Run the markets and print who won what."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line of standard output is one JSON object")
    parser.add_argument("--seeds", type=int, default=30, help="how many markets of each scenario")
    parser.add_argument("--seed-base", type=int, default=50_000, help="the first seed; 0 to 999 are for tuning")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--all", action="store_true", help="every scenario, and the policy's switches one by one")
    parser.add_argument(
        "--scenario", action="append", choices=(*MARKETS, *EXTRAS), help="only this one; may be given several times"
    )
    given = parser.parse_args()
    wanted = given.scenario or ((*MARKETS, *EXTRAS) if given.all else (*DEFAULT, jobs.CLAIMS))
    began = time.monotonic()
    work = _work(wanted, range(given.seed_base, given.seed_base + given.seeds), everything=given.all)
    answers = []
    for job, answer in jobs.done(work, given.jobs):
        answers.append((job, answer))
        sys.stderr.write(f"\r{len(answers)} of {len(work)}, {job.scenario}, {time.monotonic() - began:.0f} s   ")
    found = table.Figures(answers).as_object()
    sys.stderr.write(table.text(found))
    found |= {"seeds": given.seeds, "seed_base": given.seed_base, "minutes": round((time.monotonic() - began) / 60, 1)}
    print(json.dumps(found, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


def _work(wanted: Sequence[str], seeds: range, *, everything: bool) -> list[jobs.Job]:
    """Lay out the jobs, the longest first; with `--all`, peers take part in the scenarios of a run without options."""
    work = []
    for name in wanted:
        if name == jobs.CLAIMS:
            work += [jobs.Job(scenario=name, seed=seeds.start + k) for k in range(CLAIMS_JOBS)]
            continue
        peers, switches = not everything or name in DEFAULT, everything and name in SWITCHED
        work += [jobs.Job(scenario=name, seed=seed, peers=peers, switches=switches) for seed in seeds]
    return sorted(work, key=lambda job: -(job.peers + job.switches))


if __name__ == "__main__":
    main()
