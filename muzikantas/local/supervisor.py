"""Keeps the services of one studio running while it lives, and leaves none behind when it dies."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from muzikantas.domain.errors import InputError, MuzikantasError
from muzikantas.local.child import Child
from muzikantas.local.logs import Redactor, ServiceLog
from muzikantas.local.processes import ProcessId, sweep, write_children
from muzikantas.local.service import Service, check_order

OnEvent = Callable[[str, str, str], None]
_Handler = Callable[[int, FrameType | None], object] | int | None

#: A crashed service waits this long before it is started again, twice as long after every further crash…
FIRST_BACKOFF_S = 0.5
#: …up to this; and one that ran for this long starts from the beginning.
LAST_BACKOFF_S = 30.0
#: A service that has never been ready may die so often before its start is given up: a server may find the lock or the
#: port of its predecessor for a moment, a wrong setting is there every time.
TRIES_TO_START = 3
_TICK_S = 0.05
_WATCH_S = 0.25


class Supervisor:
    """Starts, watches, restarts and stops services; a context manager.

    It has no thread that acts: `poll` does all the work and is called by the user's own loop, or by
    `run_until_stopped`. Everything is called from the main thread, because a child's death signal follows the thread
    that spawned it.

    Parameters
    ----------
    run_dir, log_dir
        Where `children.json` and the services' `NAME.jsonl` are written. The caller holds the lock of the folder.
    redact
        Strings that no log may show; a service's own `secrets` are added.
    on_event
        Told what happens, as `(event, service, detail)`: ``swept``, ``started``, ``ready``, ``crashed``, ``restarted``,
        ``stopped``.
    """

    def __init__(
        self, run_dir: Path, log_dir: Path, *, redact: Sequence[str] = (), on_event: OnEvent | None = None
    ) -> None:
        if sys.platform != "linux":
            raise InputError(
                f"The embedded stack needs Linux, this is {sys.platform}; set DATABASE_URL and REDIS_URL instead."
            )
        self._state = run_dir / "children.json"
        self._log_dir = log_dir
        self._redactor = Redactor(redact)
        self._on_event = on_event
        self._logs: dict[str, ServiceLog] = {}
        self._services: dict[str, Service] = {}
        self._children: dict[str, Child] = {}
        self._ready: set[str] = set()
        self._crashes: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._handlers: dict[signal.Signals, _Handler] = {}

    def __enter__(self) -> Self:
        for name in sweep(self._state):
            self._tell("swept", name, "left by a supervisor that died")
        # A polite end unwinds the `with` block, as Ctrl-C does, instead of leaving the children to their death signal.
        self._handlers = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def start(self, services: Iterable[Service]) -> None:
        """Start services, each once those in its `after` are ready, and return when all are ready.

        Raises `MuzikantasError` with the last lines of its log when one does not come up; the others keep running.
        """
        new = {service.name: service for service in services}
        check_order(new.values(), self._services)
        clash = new.keys() & self._services.keys()
        if clash:
            raise InputError(f"Started already: {', '.join(sorted(clash))}. Use restart(name).")
        self._services |= new
        for service in new.values():
            self._redactor.add(service.secrets)
            self._logs[service.name] = ServiceLog(self._log_dir, service.name, self._redactor)
        self._bring_up(set(new))

    def poll(self) -> None:
        """Reap what ended, and start again what is due; quick, to be called about every second or more often."""
        for name, child in list(self._children.items()):
            code = child.ended()
            if code is not None:
                self._bury(name, child, code)
        now = time.monotonic()
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self._spawn(name)

    def restart(self, name: str) -> None:
        """Stop one service, start it again and wait until it is ready."""
        if name not in self._services:
            raise InputError(f"No service is called {name}; there are {', '.join(sorted(self._services))}.")
        self._due.pop(name, None)
        self._crashes.pop(name, None)
        self._ready.discard(name)
        self._stop_all({name})
        self._bring_up({name})

    def run_until_stopped(self) -> None:
        """Watch until SIGINT, SIGTERM or SIGHUP asks this process to end."""
        asked = threading.Event()

        def ask(_number: int, _frame: FrameType | None) -> None:
            # Not an exception: that could fall between a spawn and its note.
            asked.set()

        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, ask) for number in signals}
        try:
            while not asked.wait(_WATCH_S):
                self.poll()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stop everything, dependents first; what does not end within its grace is killed with its group."""
        self._due.clear()
        try:
            self._stop_all(set(self._services))
        finally:
            # Only an exception (a second Ctrl-C) leaves any.
            for child in self._children.values():
                child.kill()
            self._children.clear()
            self._services.clear()
            self._ready.clear()
            self._note()

    def pid(self, name: str) -> int | None:
        """The process id of a service; None while it is down."""
        child = self._children.get(name)
        return child.pid if child else None

    def _bring_up(self, names: set[str]) -> None:
        pending = set(names)
        deadlines: dict[str, float] = {}
        while pending:
            for name in sorted(pending - deadlines.keys()):
                service = self._services[name]
                if self._ready.issuperset(service.after):
                    self._spawn(name)
                    deadlines[name] = time.monotonic() + service.ready_timeout_s
            self.poll()
            for name in sorted(pending & deadlines.keys()):
                if self._is_ready(name):
                    pending.discard(name)
                elif time.monotonic() > deadlines[name] or self._crashes.get(name, 0) >= TRIES_TO_START:
                    self._give_up(name, pending)
            if pending:
                time.sleep(_TICK_S)

    def _is_ready(self, name: str) -> bool:
        service = self._services[name]
        if name in self._children and (service.ready is None or service.ready()):
            self._ready.add(name)
            self._tell("ready", name, "")
        return name in self._ready

    def _give_up(self, name: str, pending: set[str]) -> None:
        reason = (
            f"ended {self._crashes[name]} times"
            if self._crashes.get(name, 0) >= TRIES_TO_START
            else f"was not ready after {self._services[name].ready_timeout_s:g} s"
        )
        said = "\n".join(f"    {line}" for line in self._logs[name].tail()) or "    (nothing)"
        self._stop_all(pending)
        for other in pending:
            self._due.pop(other, None)
            self._crashes.pop(other, None)
            del self._services[other]
        raise MuzikantasError(f"{name} {reason}. Its last lines, from {self._logs[name].path}:\n{said}")

    def _spawn(self, name: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise MuzikantasError(f"{name} must be started from the main thread: its life is tied to the thread.")
        self._children[name] = child = Child(self._services[name], self._logs[name])
        self._note()
        self._tell("restarted" if self._crashes.get(name) else "started", name, f"pid {child.pid}")

    def _bury(self, name: str, child: Child, code: int) -> None:
        del self._children[name]
        self._note()
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        if child.stop_deadline is not None:
            self._tell("stopped", name, how)
            return
        lived_s = time.monotonic() - child.started_at
        crashes = 1 if lived_s > LAST_BACKOFF_S else self._crashes.get(name, 0) + 1
        self._crashes[name] = crashes
        wait_s = min(FIRST_BACKOFF_S * 2 ** min(crashes - 1, 16), LAST_BACKOFF_S)
        self._due[name] = time.monotonic() + wait_s
        self._tell("crashed", name, f"{how} after {lived_s:.1f} s; starts again in {wait_s:g} s")

    def _stop_all(self, names: set[str]) -> None:
        while running := names & self._children.keys():
            for name in running:
                child = self._children[name]
                if not any(name in self._services[other].after for other in running):
                    child.ask_to_stop()
                if child.stop_deadline is not None and time.monotonic() > child.stop_deadline:
                    child.kill()
                if (code := child.ended()) is not None:
                    self._bury(name, child, code)
            time.sleep(_TICK_S)
        for name in names:
            self._due.pop(name, None)

    def _note(self) -> None:
        children = [child.identity for child in self._children.values()]
        write_children(self._state, ProcessId.of("supervisor", os.getpid()), children)

    def _tell(self, event: str, name: str, detail: str) -> None:
        if name in self._logs:
            level = "WARNING" if event == "crashed" else "INFO"
            self._logs[name].write(f"{name} {event} {detail}".rstrip(), process="supervisor", level=level)
        if self._on_event:
            self._on_event(event, name, detail)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
