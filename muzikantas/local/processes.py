"""Which processes are ours: identified by pid and start time, written down, and swept when their supervisor is dead."""

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from muzikantas.domain.errors import InputError
from muzikantas.local.home import write_private

#: How long what a dead supervisor left may take to end by itself before it is killed. Its children have had their
#: death signal already: usually they are gone.
SWEEP_GRACE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class ProcessId:
    """One process, told apart from a later one with the same pid by the moment it started.

    `started` is in clock ticks since boot, so it comes with the id of the boot.
    """

    name: str
    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, name: str, pid: int) -> Self:
        """Identify a process, be it a corpse not reaped yet; `ProcessLookupError` when there is none."""
        return cls(name=name, pid=pid, started=_stat(pid)[1], boot=_boot_id())

    def alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            state, started = _stat(self.pid)
        except ProcessLookupError:
            return False
        return state not in "ZX" and started == self.started and self.boot == _boot_id()


def _stat(pid: int) -> tuple[str, int]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError as gone:
        raise ProcessLookupError(pid) from gone
    # The second field is the program's name in brackets, and may itself hold brackets and spaces.
    state, *fields = text.rpartition(")")[2].split()
    return state, int(fields[18])


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def write_children(path: Path, supervisor: ProcessId, children: list[ProcessId]) -> None:
    """Note who supervises whom, for the sweep of a later start; without children there is nothing to note."""
    if not children:
        path.unlink(missing_ok=True)
        return
    state = {"supervisor": asdict(supervisor), "children": [asdict(child) for child in children]}
    write_private(path, json.dumps(state, indent=1))


def sweep(path: Path) -> list[str]:
    """End what a dead supervisor left running; the names of what had to be ended.

    Raises `InputError` when the supervisor that wrote `path` is alive: its children are not ours.
    """
    try:
        state = json.loads(path.read_text())
        supervisor = ProcessId(**state["supervisor"])
        children = [ProcessId(**child) for child in state["children"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if supervisor.alive() and supervisor.pid != os.getpid():
        raise InputError(f"{path} belongs to pid {supervisor.pid}, which is running; stop it first.")
    left = [child for child in children if child.alive()]
    deadline = time.monotonic() + SWEEP_GRACE_S
    while any(child.alive() for child in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    swept = [child for child in left if child.alive()]
    for child in swept:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    while any(child.alive() for child in swept):
        time.sleep(0.05)
    return [child.name for child in swept]
