"""Plays a script on a running label: kills, faults, and one cycle after the other for every artist meanwhile."""

import os
import signal
import time
from collections import Counter
from collections.abc import Sequence

import psutil
from kombu.exceptions import OperationalError
from sqlalchemy import func, select

from muzikantas.domain.errors import TransientError
from muzikantas.models import cycle
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from muzikantas.tasks import evolve_artist
from tests.faults.plan import Kill, Script
from tests.integration.label import Label

#: A request to start a cycle that has led to none after this long is taken for lost with its broker or worker.
ASK_AGAIN_S = 10.0
#: After the last kill everything that is open must end by itself; the longest wait in it is a submit's deadline (60 s).
END_S = 240.0
_TICK_S = 0.05
_LOOK_S = 0.5


class Chaos:
    """One run of a script."""

    def __init__(self, label: Label, script: Script, artist_ids: Sequence[int]) -> None:
        self.label, self._script, self._artists = label, script, artist_ids
        self.kills: Counter[str] = Counter()
        self._due = list(script.kills)
        self._faults = list(script.faults)
        self._asked: dict[int, tuple[float, int]] = {}

    def run(self, *, cycles: int, stop_after_s: float) -> None:
        """Play the script while cycles turn, go on until `cycles` have begun, then let everything end."""
        begun = time.monotonic()
        looked = 0.0
        while time.monotonic() - begun < stop_after_s:
            self.label.stack.supervisor.poll()
            self._play(time.monotonic() - begun)
            if time.monotonic() - looked >= _LOOK_S:
                looked = time.monotonic()
                if self._turn() >= cycles and not self._due and self._fired() >= len(self._script.faults):
                    break
            time.sleep(_TICK_S)
        self._let_end()

    def _play(self, now_s: float) -> None:
        """Do what is due; a victim that is down just now is killed as soon as it is back."""
        while self._faults and self._faults[0].at_s <= now_s:
            self.label.admin("faults", [self._faults.pop(0).rule])
        for kill in [kill for kill in self._due if kill.at_s <= now_s]:
            if self._strike(kill):
                self.kills[kill.kind] += 1
                self._due.remove(kill)

    def _strike(self, kill: Kill) -> bool:
        """Kill one process with -9; False when there is none to kill."""
        pid = self.label.stack.supervisor.pid(kill.service)
        try:
            if pid is not None and kill.kind in {"child", "worker"}:
                # A worker without children is still starting: killing it then shows nothing of ours.
                pool = psutil.Process(pid).children()
                pid = None if not pool else pid if kill.kind == "worker" else pool[kill.which % len(pool)].pid
            if pid is None:
                return False
            os.kill(pid, signal.SIGKILL)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False
        return True

    def _turn(self) -> int:
        """Start the next cycle of every artist that has none running; give how many there are (0 while in the dark)."""
        now = time.monotonic()
        try:
            with studio().begin() as session:
                turns = [row for artist_id in self._artists for row in cycle.of_artist(session, artist_id)]
            busy = {row.artist_id for row in turns if row.state == cycle.RUNNING}
            numbers = Counter(row.artist_id for row in turns)
            for artist_id in set(self._artists) - busy:
                asked_at, number = self._asked.get(artist_id, (0.0, -1))
                if number != numbers[artist_id] or now - asked_at > ASK_AGAIN_S:
                    self._asked[artist_id] = now, numbers[artist_id]
                    evolve_artist.apply_async((artist_id,), ignore_result=True)
        except (TransientError, OperationalError):
            return 0  # one of the servers is down, as the script wants it
        return len(turns)

    def _fired(self) -> int:
        return sum(rule["fired"] for rule in self.label.admin("faults"))

    def _let_end(self) -> None:
        """Wait until no cycle runs and no request is on its way, or until waiting longer makes no sense."""
        deadline = time.monotonic() + END_S
        quiet = 0
        while time.monotonic() < deadline and quiet < 3:
            self.label.stack.supervisor.poll()
            try:
                with studio().begin() as session:
                    running = select(func.count()).select_from(Cycle).where(Cycle.state == cycle.RUNNING)
                    flying = select(func.count()).select_from(Generation).where(Generation.finished_at.is_(None))
                    quiet = 0 if session.scalar(running) or session.scalar(flying) else quiet + 1
            except TransientError:
                quiet = 0
            time.sleep(_LOOK_S)
