"""The folder of one studio (`MUZ_HOME`): what lies where, and the file that tells others about a running stack."""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from muzikantas.domain.errors import InputError


class Home:
    """The layout under a home folder; making it makes the folders.

    `data`, `logs` and `run` are private to their owner; `store` (audio) and `report` are for anyone he lets in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.data = self.path / "data"
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.store = self.path / "store"
        self.report = self.path / "report"
        self._env = self.run / "env"
        try:
            for folder in (self.data, self.logs, self.run):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.store, self.report):
                folder.mkdir(exist_ok=True)
            for folder in (self.data, self.logs, self.run):
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(f"{folder} belongs to uid {folder.stat().st_uid}, this is uid {os.geteuid()}")
        except OSError as error:
            raise InputError(
                f"MUZ_HOME={self.path} cannot be used: {error}. Set it to a folder you may write."
            ) from error

    def write_env(self, values: Mapping[str, str]) -> Path:
        """Write the addresses of the running stack to `run/env`, in the form that both dotenv and a shell read."""
        for key, value in values.items():
            if not re.fullmatch(r"[A-Z][A-Z0-9_]*", key) or re.search(r"['\\$\n]", value):
                raise InputError(
                    f"{key} cannot be written to {self._env}: dotenv and shells read quotes, backslashes, dollars and "
                    "line ends in it differently. Use a value without them."
                )
        write_private(self._env, "".join(f"{key}='{value}'\n" for key, value in values.items()))
        return self._env

    def remove_env(self) -> None:
        """Forget the addresses: the stack is down."""
        self._env.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, all of it or nothing."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def kept_secret(path: Path) -> str:
    """The password in the file `path`, made up the first time; its letters need no quoting in URLs and settings."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text().strip()
