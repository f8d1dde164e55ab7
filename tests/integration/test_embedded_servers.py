"""The embedded PostgreSQL and Valkey for real: alone, killed, with a Celery worker, as root and not."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from muzikantas.domain.errors import InputError
from muzikantas.local import Home, Postgres, Supervisor, Valkey, privileges, remove_servers_folder
from muzikantas.local.home import write_private

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the servers to another user")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user may enter: what pytest's own temporary folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="muzikantas-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home(place: Path) -> Home:
    """One home for all tests here, so that one initdb is enough; every test brings its servers up itself."""
    return Home(place / "home")


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    with Supervisor(home.run, home.logs) as running:
        yield running


def connect(url: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(url.replace("+psycopg2", ""), connect_timeout=2)


def query(url: str, text: str) -> list[tuple[object, ...]]:
    with closing(connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


def eventually(condition: Callable[[], bool], supervisor: Supervisor | None = None, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        if supervisor is not None:
            supervisor.poll()
        time.sleep(0.05)


def processes() -> dict[int, int]:
    """Parent of every living process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if state not in "ZX":
            parents[int(folder.name)] = int(parent)
    return parents


def family(ancestor: int) -> set[int]:
    """A process and all its living descendants."""
    parents = processes()
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def told(pid: int, part: str) -> str:
    """What the kernel tells about a process; nothing once it has ended, as a helper of PostgreSQL may at any time."""
    try:
        return Path(f"/proc/{pid}/{part}").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_servers_need_nothing_on_path_and_speak_every_script(
    home: Home, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    postgres, valkey = Postgres(home, durable=False), Valkey(home)

    supervisor.start([postgres.service(), valkey.service()])
    url = postgres.create_database()

    assert url == postgres.url() == postgres.create_database()
    assert query(url, "SELECT lower('ŠIAULIAI ĄŽUOLAS ДОБРО'), current_user") == [
        ("šiauliai ąžuolas добро", "muzikantas")
    ]
    with closing(redis.Redis.from_url(valkey.url())) as client:
        config = {**client.config_get("appendonly"), **client.config_get("maxmemory-policy")}
    assert config == {"appendonly": "yes", "maxmemory-policy": "noeviction"}


def test_servers_ask_for_the_password_and_do_not_show_it(home: Home, supervisor: Supervisor) -> None:
    postgres, valkey = Postgres(home, durable=False), Valkey(home)
    services = [postgres.service(), valkey.service()]
    supervisor.start(services)

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/postgres")
    with (
        closing(redis.Redis(host="127.0.0.1", port=valkey.port)) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    shown = "".join(told(pid, part) for pid in family(os.getpid()) for part in ("cmdline", "environ"))
    assert "postgres" in shown
    said = "".join(log.read_text() for log in home.logs.iterdir())
    for secret in (secret for service in services for secret in service.secrets):
        assert secret not in shown
        assert secret not in said


@as_root
def test_as_root_the_servers_are_somebody_else(home: Home, supervisor: Supervisor) -> None:
    supervisor.start([Postgres(home, durable=False).service(), Valkey(home).service()])

    servers = [pid for name in ("postgres", "valkey") if (pid := supervisor.pid(name))]
    statuses = [status for server in servers for pid in family(server) if (status := told(pid, "status"))]
    assert len(statuses) > 5
    for status in statuses:
        uids, groups = (status.split(f"{field}:")[1].splitlines()[0].split() for field in ("Uid", "Groups"))
        assert "0" not in uids
        assert groups == []


def test_data_survives_kill_of_both_servers_at_the_same_address(home: Home, supervisor: Supervisor) -> None:
    postgres, valkey = Postgres(home, durable=False), Valkey(home)
    supervisor.start([postgres.service(), valkey.service()])
    url = postgres.create_database("kept")
    query(url, "CREATE TABLE tracks AS SELECT generate_series(1, 5000) AS id")
    with closing(redis.Redis.from_url(valkey.url())) as client:
        client.rpush("queue", *range(1000))

    for name in ("postgres", "valkey"):
        pid = supervisor.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: supervisor.pid("postgres") is None and supervisor.pid("valkey") is None, supervisor)
    services = {service.name: service for service in (postgres.service(), valkey.service())}
    eventually(lambda: all(service.ready() for service in services.values() if service.ready), supervisor, within_s=20)

    assert query(url, "SELECT count(*) FROM tracks") == [(5000,)]
    with closing(redis.Redis.from_url(valkey.url())) as client:
        assert client.llen("queue") == 1000


def test_half_made_database_is_made_anew(place: Path) -> None:
    home = Home(place / "half")
    account = privileges.servers_account()
    killed = privileges.servers_folder(home, account) / "new-0a1b2c3d"
    new = killed / "postgres"
    new.mkdir(mode=0o700, parents=True)
    (new / "PG_VERSION").write_text("18\n")
    (new / "half").touch()

    with Supervisor(home.run, home.logs) as supervisor:
        postgres = Postgres(home, durable=False)
        supervisor.start([postgres.service()])

        assert query(postgres.create_database(), "SELECT 1") == [(1,)]
    assert not killed.exists()


def test_data_of_another_version_is_refused(home: Home) -> None:
    postgres = Postgres(home, durable=False)
    postgres.service()
    version = privileges.servers_folder(home, privileges.servers_account()) / "postgres" / "PG_VERSION"
    true_version = version.read_text()
    version.write_text("12\n")
    try:
        with pytest.raises(InputError, match=r"made by PostgreSQL 12, the installed one is postgres \(PostgreSQL\) 1"):
            postgres.service()
    finally:
        version.write_text(true_version)


def test_lost_password_is_named(home: Home) -> None:
    Postgres(home, durable=False).service()
    password = home.data / "postgres-superuser-password"
    kept = password.read_text()
    password.unlink()
    try:
        with pytest.raises(InputError, match="postgres-superuser-password is missing"):
            Postgres(home)
    finally:
        write_private(password, kept)


@as_root
def test_unreachable_home_keeps_its_data_elsewhere_and_says_where(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "SHARED", place / "shared")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    home = Home(closed / "home")

    with Supervisor(home.run, home.logs) as supervisor:
        supervisor.start([Valkey(home).service()])

    (folder,) = (place / "shared").iterdir()
    assert str(folder) in (home.data / "servers.json").read_text()
    assert (folder / "valkey" / "appendonlydir").is_dir()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert home.data.stat().st_mode & 0o777 == 0o700

    shutil.copytree(home.path, closed / "copy")
    with pytest.raises(InputError, match="is a copy of"):
        Valkey(Home(closed / "copy"))
    moved = Home(home.path.rename(closed / "moved"))
    Valkey(moved)
    assert (folder / "home").read_text() == str(moved.path)

    remove_servers_folder(moved)
    assert not folder.exists()


@as_root
def test_programs_that_the_user_cannot_reach_are_copied_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "SHARED", place / "shared-programs")
    packages = place / "packages"
    (packages / "choir_server" / "bin").mkdir(parents=True)
    (packages / "choir_server.libs").mkdir()
    (packages / "choir_server-1.2.dist-info").mkdir()
    (packages / "choir_server-1.2.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: choir-server\nVersion: 1.2\n"
    )
    program = packages / "choir_server" / "bin" / "sing"
    program.write_text("#!/bin/sh\nls $(dirname $0)/../../choir_server.libs && echo la\n")
    program.chmod(0o700)
    packages.chmod(0o700)
    monkeypatch.syspath_prepend(packages)
    account = privileges.servers_account()

    copy = privileges.reachable_package("choir_server", "choir-server", "bin/sing", account)
    again = privileges.reachable_package("choir_server", "choir-server", "bin/sing", account)

    assert copy == again
    assert account.run([str(copy)]).stdout == "la\n"
    assert [path.name for path in (place / "shared-programs" / "bin").iterdir()] == ["choir-server-1.2"]


def test_missing_package_is_named() -> None:
    with pytest.raises(InputError, match=r"choir-none.*muzikantas\[local\].*DATABASE_URL"):
        privileges.reachable_package("choir_none", "choir-none", "bin/sing", privileges.Account())


TASKS = """
import os, time
from celery import Celery
app = Celery("tasks", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)

@app.task
def sing(path):
    open(path, "w").close()
    time.sleep(120)
"""

STACK = """
import os, signal, subprocess, sys, time
from pathlib import Path
from muzikantas.local import Home, Postgres, Service, Supervisor, Valkey, hold

home, folder = Home(Path(sys.argv[1])), Path(sys.argv[2])
with hold(home.run), Supervisor(home.run, home.logs) as supervisor:
    postgres, valkey = Postgres(home, durable=False), Valkey(home)
    supervisor.start([postgres.service(), valkey.service()])
    env = {**os.environ, "REDIS_URL": valkey.url()}
    worker = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--autoscale=3,2", "--without-gossip"]
    supervisor.start([
        Service(name="worker", argv=worker, env=env, cwd=folder, death_signal=signal.SIGKILL, after=("valkey",))
    ])
    os.environ |= env
    sys.path.insert(0, str(folder))
    import tasks
    for number in range(3):
        tasks.sing.delay(str(folder / f"singing-{number}"))
    deadline = time.monotonic() + 60
    while len(list(folder.glob("singing-*"))) < 3 and time.monotonic() < deadline:
        supervisor.poll()
        time.sleep(0.1)
    import psycopg2
    connection = psycopg2.connect(postgres.create_database().replace("+psycopg2", ""))
    print(len(list(folder.glob("singing-*"))), "at work", flush=True)
    supervisor.run_until_stopped()
"""


def test_killed_supervisor_leaves_nothing_of_a_whole_stack(home: Home, place: Path) -> None:
    folder = place / "tasks"
    folder.mkdir()
    (folder / "tasks.py").write_text(TASKS)
    argv = [sys.executable, "-c", STACK, str(home.path), str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "3 at work\n"
            members = family(process.pid)
            # Itself, the postmaster and its helpers, a backend, Valkey, the worker and three of its pool.
            assert len(members) > 10
        finally:
            process.kill()

        eventually(lambda: not members & processes().keys())


def test_next_start_after_a_kill_finds_everything(home: Home, supervisor: Supervisor) -> None:
    postgres, valkey = Postgres(home, durable=False), Valkey(home)

    supervisor.start([postgres.service(), valkey.service()])

    assert query(postgres.create_database(), "SELECT 1") == [(1,)]
    with closing(redis.Redis.from_url(valkey.url())) as client:
        assert client.ping()
