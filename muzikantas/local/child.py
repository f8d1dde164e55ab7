"""One running process of a service: spawned tied to us, asked to end, ended, and reaped with its whole group."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from muzikantas.local.logs import ServiceLog
from muzikantas.local.processes import ProcessId
from muzikantas.local.service import Service

_LAUNCHER = Path(__file__).with_name("launcher.py")
#: How long the last words of an ended process are waited for; a grandchild may hold its pipe for longer.
_LAST_WORDS_S = 1.0


class Child:
    """A direct child in a session of its own. Construction starts it; only from a thread that outlives it."""

    def __init__(self, service: Service, log: ServiceLog) -> None:
        self.service = service
        uid = -1 if service.uid is None else service.uid
        gid = uid if service.gid is None else service.gid
        launch = [str(os.getpid()), str(int(service.death_signal)), str(uid), str(gid)]
        # Some interpreters find their own shared library only through this, the launcher's among them.
        libraries = {key: value for key, value in os.environ.items() if key == "LD_LIBRARY_PATH"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), *launch, *service.argv],
            env=libraries | dict(service.env),
            cwd=service.cwd or "/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal is for the supervisor, which then ends its children in order.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = log.read_from(self._process.stdout)
        self.started_at = time.monotonic()
        self.stop_deadline: float | None = None
        self.pid = self._process.pid
        self.identity = ProcessId.of(service.name, self.pid)

    def ended(self) -> int | None:
        """The exit code (negative: the signal) when it has ended, and then nothing of its group is left."""
        if self._process.returncode is None and self._is_corpse():
            # Before the corpse is reaped, while its pid cannot be anybody else's.
            self.kill()
            self._process.wait()
            self._reader.join(_LAST_WORDS_S)
        return self._process.returncode

    def ask_to_stop(self) -> None:
        """Send the stop signal, once, and set the moment from which it may be killed."""
        if self.stop_deadline is None:
            self.stop_deadline = time.monotonic() + self.service.stop_grace_s
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.service.stop_signal)

    def kill(self) -> None:
        """End the whole process group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _is_corpse(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
