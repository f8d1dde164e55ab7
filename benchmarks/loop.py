"""Does the whole loop learn on the sandbox? `python -m benchmarks.loop`: learned plans beside fixed ones.

Each seed turns the loop twice on a stack of its own, once with plans that learn and once with a fixed one: real
workers, audio that is made, heard and paid for, streams of the sandbox's market. Outcomes are mean log streams of a
cycle's tracks seven days after their release, luck included.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks._mean import Mean
from muzikantas.local.programs import environment

POLICIES = ("learned", "fixed")
#: What a reader must know before believing the table.
LIMITS = (
    "The market is the sandbox's, which we wrote: listeners in it are not people, and tastes have their peaks around "
    "the middle of the space, where the fixed plan stands.",
    "An outcome includes the luck of the track (half a log unit); a policy's plans also change what is made by chance.",
    "Seeds draw the market, the audio and the plans; with a few of them a difference below two standard errors says "
    "nothing. `python -m benchmarks.learning` compares policies in many markets, without the loop around them.",
)

Array = npt.NDArray[np.float64]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The last line is one JSON object.")
@click.option("--cycles", default=12, show_default=True, type=click.IntRange(min=3), help="Turns of the loop.")
@click.option("--tracks", default=4, show_default=True, type=click.IntRange(min=1), help="Slots a cycle.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(min=2), help="Markets.")
@click.option("--seed-base", default=101, show_default=True, help="The first market's seed.")
def main(*, as_json: bool, cycles: int, tracks: int, seeds: int, seed_base: int) -> None:
    """Turn the loop with both policies in every market, one after the other."""
    console = Console(stderr=as_json)
    runs: dict[str, list[dict[str, Any]]] = {policy: [] for policy in POLICIES}
    for seed, policy in product(range(seed_base, seed_base + seeds), POLICIES):
        runs[policy].append(turn(seed, policy, cycles, tracks))
        console.print(f"seed {seed}, {policy}: {runs[policy][-1]['outcome_by_cycle']}", highlight=False)
    found = figures({policy: curves(each, cycles) for policy, each in runs.items()})
    console.print(table(found))
    for line in LIMITS:
        console.print(f"- {line}", highlight=False)
    every = [run for policy in POLICIES for run in runs[policy]]
    book = {name: sum(run[name] for run in every) for name in ("paid_twice", "lost")}
    if as_json:
        settings = {"cycles": cycles, "tracks": tracks, "seeds": [seed_base + i for i in range(seeds)]}
        click.echo(json.dumps({"benchmark": "loop", **settings, **found, **book, "limits": LIMITS}))


def turn(seed: int, policy: str, cycles: int, tracks: int) -> dict[str, Any]:
    """Run the demonstration in a folder of its own; give its summary."""
    with tempfile.TemporaryDirectory(prefix="loop-") as folder:
        options = ("--cycles", str(cycles), "--tracks", str(tracks), "--seed", str(seed), "--policy", policy)
        done = subprocess.run(
            [sys.executable, "-m", "muzikantas", "demo", *options, "--json"],
            env=environment({"MUZ_HOME": folder}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def curves(runs: Sequence[Mapping[str, Any]], cycles: int) -> Array:
    """Outcomes, seeds x cycles; a cycle of which nothing was heard is NaN."""
    numbers = [str(number) for number in range(1, cycles + 1)]
    return np.array([[run["outcome_by_cycle"].get(number) for number in numbers] for run in runs], dtype=float)


def figures(outcome: Mapping[str, Array]) -> dict[str, Any]:
    """Both curves with standard errors over seeds, and what the last third gained, paired by seed."""
    third = next(iter(outcome.values())).shape[1] // 3
    early = {policy: np.nanmean(each[:, :third], axis=1) for policy, each in outcome.items()}
    late = {policy: np.nanmean(each[:, -third:], axis=1) for policy, each in outcome.items()}
    learned, fixed = (late[policy] for policy in POLICIES)
    return {
        "curves": {policy: [_known(cycle) for cycle in each.T] for policy, each in outcome.items()},
        "last_third_less_first": {policy: _known(late[policy] - early[policy]) for policy in outcome},
        "learned_less_fixed_last_third": _known(learned - fixed),
    }


def _known(values: Array) -> dict[str, float | None]:
    """Give mean and standard error over the seeds that were heard; None where those are too few."""
    heard = values[np.isfinite(values)]
    if not heard.size:
        return {"mean": None, "se": None}
    found = Mean.of(heard)
    return {"mean": round(found.value, 3), "se": round(found.error, 3) if heard.size > 1 else None}


def table(found: Mapping[str, Any]) -> Table:
    """Draw both curves side by side."""
    drawn = Table("cycle", *POLICIES, title="Mean log streams a track (standard error over seeds)")
    for number, cells in enumerate(zip(*(found["curves"][policy] for policy in POLICIES), strict=True), start=1):
        drawn.add_row(str(number), *(_cell(cell) for cell in cells))
    risen = found["last_third_less_first"]
    drawn.add_row("last third less first", *(_cell(risen[policy]) for policy in POLICIES))
    drawn.add_row("learned less fixed, last third", _cell(found["learned_less_fixed_last_third"]))
    return drawn


def _cell(value: Mapping[str, float | None]) -> str:
    if value["mean"] is None:
        return "nothing heard"
    return f"{value['mean']:.2f}" + ("" if value["se"] is None else f" ± {value['se']:.2f}")


if __name__ == "__main__":
    main()
