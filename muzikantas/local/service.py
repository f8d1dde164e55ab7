"""What a supervised process is: a value that says how to start, know, stop and order it."""

import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from muzikantas.domain.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Service:
    """One program that a supervisor keeps running.

    Parameters
    ----------
    name
        Unique; also the name of its log file.
    argv
        The program (an absolute path: nothing is looked up on PATH) and its arguments. No secret belongs here,
        every user of the machine can read it.
    env
        The whole environment of the process; nothing but LD_LIBRARY_PATH is inherited.
    ready
        Says whether it can be used by now; asked again and again, so it answers within about two seconds and does not
        raise. None: ready once started.
    stop_signal, stop_grace_s
        How it is asked to end, and how long it may take before its whole process group is killed.
    death_signal
        What the kernel sends it when the supervisor dies without a word.
    uid, gid
        Whom it runs as, when the supervisor is root; None: the supervisor's own.
    after
        Names of services that must be ready before this one starts, and end after it.
    secrets
        Strings that no log of the supervisor may show.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_timeout_s: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_s: float = 10.0
    death_signal: signal.Signals = signal.SIGTERM
    uid: int | None = None
    gid: int | None = None
    after: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def check_order(services: Iterable[Service], running: Iterable[str]) -> None:
    """Raise `InputError` unless every `after` names a service of this start or a running one, without a circle."""
    waiting = {service.name: service for service in services}
    known = set(running)
    while waiting:
        free = [name for name, service in waiting.items() if known.issuperset(service.after)]
        if not free:
            wants = "; ".join(f"{name} after {', '.join(service.after)}" for name, service in sorted(waiting.items()))
            raise InputError(
                f"These services wait for each other or for one that nobody starts: {wants}. "
                f"Running or startable: {', '.join(sorted(known)) or 'none'}."
            )
        for name in free:
            known.add(name)
            del waiting[name]
