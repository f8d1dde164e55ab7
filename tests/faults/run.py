"""`python -m tests.faults.run`: one run of the fault suite; the last line on stdout is one JSON object."""

import argparse
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muzikantas.local import remove_servers_folder
from muzikantas.local.stack import Shape, Stack, embedded
from tests.faults.chaos import Chaos
from tests.faults.judge import broken, details, judge
from tests.faults.plan import SERVERS, Targets, script
from tests.integration.label import Label

BEAT = Path(__file__).parents[1] / "integration" / "beat_fast.py"
ARTISTS, SLOTS = 8, 4
#: What breaks for each cycle that is asked for.
CHILDREN, WORKERS, EACH_SERVER, FAULTS = 2.5, 1.0, 0.25, 8.0
#: Share of the time in which things break; then come the end of the last cycles and what may wait for a deadline.
SPAN, STOP = 0.5, 0.7

SHAPE = Shape(
    flower=False,
    durable=False,
    groups={"suno": "2,2", "media": "2,2", "listen": "2,2", "llm": "2,2", "default": "2,2"},
    sandbox_options=("--generation-seconds", "2.0", "--audio-seconds", "8", "--fast-audio"),
    overrides={
        "VISIBILITY_TIMEOUT_S": "15",
        "RECONCILE_AFTER_S": "4",
        "SUNO_USUAL_S": "2",
        "BEAT_SCHEDULE": str(BEAT),
    },
)


def run(*, cycles: int, seed: int, minutes: float) -> dict[str, Any]:
    """Break a stack of its own for a while, and give the figures."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with embedded(folder, SHAPE) as stack:
        chaos = _break(stack, cycles=cycles, seed=seed, minutes=minutes)
        ledger, rules = chaos.label.admin("ledger"), chaos.label.admin("faults")
        figures = {**judge(ledger, rules), "kills": dict(chaos.kills), "seed": seed}
        _say(details(ledger))
    remove_servers_folder(stack.home)
    promises = broken(figures)
    if figures["cycles"] < cycles:
        promises.append(f"cycles >= {cycles}")
    if promises:
        _say([f"broken: {', '.join(promises)}; the logs are in {stack.home.logs}"])
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return {**figures, "seconds": round(time.monotonic() - started, 1), "broken": promises}


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 (a command's own output)


def _break(stack: Stack, *, cycles: int, seed: int, minutes: float) -> Chaos:
    """Make the artists, draw the script and play it."""
    label = Label(stack)
    artists = [label.artist(slots=SLOTS, release_rule="content_check")[0] for _ in range(min(ARTISTS, cycles))]
    servers = [name for name in SERVERS if stack.supervisor.pid(name) is not None]
    targets = Targets(
        children=math.ceil(CHILDREN * cycles),
        workers=math.ceil(WORKERS * cycles),
        each_server=math.ceil(EACH_SERVER * cycles),
        faults=math.ceil(FAULTS * cycles),
        servers=servers,
    )
    chaos = Chaos(label, script(seed, SPAN * minutes * 60, targets), artists)
    chaos.run(cycles=cycles, stop_after_s=STOP * minutes * 60)
    return chaos


def main() -> int:
    """Run with the arguments of the command line; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--cycles", type=int, default=40, help="at least so many; kills and faults grow with them")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and the kinds")
    parser.add_argument("--minutes", type=float, default=20.0, help="things break in the first half of it")
    given = parser.parse_args()
    figures = run(**vars(given))
    print(json.dumps(figures))  # noqa: T201 (a command's own output)
    return 1 if figures["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
