"""What the integration tests do with the running stack, in their own words."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import psutil
from sqlalchemy import text

from muzikantas.domain.profile import Bounds, Profile
from muzikantas.local.stack import Stack
from muzikantas.models import artist, budget, cycle, generation, track
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from muzikantas.tasks import evolve_artist


def fault(endpoint: str, genre: str, *, do: dict[str, Any], times: int = 1) -> dict[str, Any]:
    """Make a rule: the next calls of the music provider about this genre go wrong as `do` says."""
    match = {"style_contains": genre}
    return {"provider": "suno", "endpoint": endpoint, "match": match, "times": times, "do": do}


class Label:
    """A record label on a stack of its own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.made = 0

    def artist(
        self, *, slots: int = 2, credits_hard: int | None = None, release_rule: str = "manual"
    ) -> tuple[int, str]:
        """Make an artist with a genre that no other test uses; give its id and the genre."""
        self.made += 1
        genre = f"test genre {self.made} of {os.getpid()}"
        profile = Profile(
            persona="Somebody who was made for a test, and who likes it when things end well.",
            personality={"patience": 0.5},
            corridor={genre: Bounds(tempo_bpm=(80.0, 140.0))},
        )
        with studio().begin() as session:
            row = artist.create(
                session,
                profile,
                name=f"Tester {self.made}",
                language="en",
                countries=["US"],
                slots=slots,
                seed=self.made,
                release_rule=release_rule,
            )
            budget.set_limits(session, row.id, budget.CREDITS, soft=None, hard=credits_hard)
        return row.id, genre

    def start(self, artist_id: int) -> int:
        """Start a cycle through a worker; give its id."""
        before = self.cycles(artist_id)
        evolve_artist.delay(artist_id)
        self.wait(lambda: len(self.cycles(artist_id)) > len(before), "the cycle begins")
        return self.cycles(artist_id)[-1]

    def cycles(self, artist_id: int) -> list[int]:
        """Ids of an artist's cycles, oldest first."""
        with studio().begin() as session:
            return [row.id for row in cycle.of_artist(session, artist_id)]

    def finish(self, cycle_id: int, *, within_s: float = 90.0) -> Cycle:
        """Wait until a cycle has ended."""

        def ended() -> bool:
            return self.cycle(cycle_id).state != cycle.RUNNING

        self.wait(ended, f"cycle {cycle_id} ends", within_s=within_s)
        return self.cycle(cycle_id)

    def wait(self, condition: Callable[[], Any], what: str, *, within_s: float = 60.0) -> Any:
        """Wait until a condition gives something true, while the supervisor looks after its children."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            self.stack.supervisor.poll()
            if value := condition():
                return value
            time.sleep(0.05)
        raise AssertionError(f"{what}: not within {within_s:.0f} s")

    def cycle(self, cycle_id: int) -> Cycle:
        """Load a cycle."""
        with studio().begin() as session:
            return cycle.get(session, cycle_id)

    def slots(self, cycle_id: int) -> list[Generation]:
        """Load a cycle's generations."""
        with studio().begin() as session:
            return generation.of_cycle(session, cycle_id)

    def tracks(self, cycle_id: int) -> int:
        """Count a cycle's tracks."""
        with studio().begin() as session:
            return track.made_in_cycle(session, [row.id for row in generation.of_cycle(session, cycle_id)])

    def counts(self) -> dict[str, int]:
        """Count the rows of every table."""
        tables = ["artist_profiles", "cycles", "generations", "takes", "tracks", "releases", "trend_analysis"]
        tables += ["evolution_plans", "llm_calls", "budget_entries", "performance_metrics", "chart_entries"]
        with studio().begin() as session:
            return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables}  # noqa: S608 (names of ours)

    def paid(self, cycle_id: int) -> list[str]:
        """References of the requests of a cycle that the sandbox was paid for, one entry a payment."""
        mine = {str(row.reference) for row in self.slots(cycle_id)}
        entries = self.admin("ledger")["requests"]
        references = [(entry["reference"] or "").rstrip("/").rpartition("/")[2] for entry in entries]
        return sorted(reference for reference in references if reference in mine)

    def admin(self, what: str, body: Any = None, method: str | None = None) -> Any:
        """Speak to the sandbox behind the scenes."""
        request = urllib.request.Request(  # noqa: S310 (loopback)
            f"{self.stack.sandbox_url}/admin/{what}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
            return json.load(answer)

    @contextlib.contextmanager
    def faults(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Script the providers' faults."""
        self.admin("faults", list(rules))
        try:
            yield
        finally:
            self.admin("faults", method="DELETE")

    def children(self, name: str) -> list[int]:
        """Process ids of a worker's pool."""
        pid = self.stack.supervisor.pid(name)
        return [child.pid for child in psutil.Process(pid).children()] if pid else []

    def kill(self, name: str) -> None:
        """Kill a whole service as the kernel would."""
        pid = self.stack.supervisor.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def muzikantas(
        self, *arguments: str, env: dict[str, str] | None = None, timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator against this stack."""
        return subprocess.run(
            [sys.executable, "-m", "muzikantas", *arguments],
            env={**os.environ, **self.stack.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
