"""One running stack per home folder."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from muzikantas.domain.errors import InputError


@contextmanager
def hold(run_dir: Path) -> Iterator[None]:
    """Hold the lock of a home folder; `InputError` naming the holder when somebody else does.

    The kernel frees it when this process ends, however it ends.
    """
    path = run_dir / "lock"
    with path.open("a+", encoding="utf-8") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InputError(
                f"{run_dir.parent} is held by {_describe(file.read())}; stop it or set MUZ_HOME to another folder."
            ) from None
        file.truncate(0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "started": started, "command": _command()}, file)
        file.flush()
        yield
        # The file stays: removing it would let two holders lock two files of the same name.
        file.truncate(0)


def _command() -> str:
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _describe(written: str) -> str:
    try:
        holder = json.loads(written)
        return f"pid {holder['pid']} ({holder['command']}, since {holder['started']})"
    except (ValueError, KeyError, TypeError):
        return "another process that has just started"
