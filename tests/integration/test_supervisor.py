"""The supervisor over small Python programs; the real servers are in test_embedded_servers.py."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muzikantas.domain.errors import InputError, MuzikantasError
from muzikantas.local import Home, Service, Supervisor, hold

FOREVER = "import time; time.sleep(600)"
STUBBORN = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('hears nothing', flush=True)
{FOREVER}
"""
Event = tuple[str, str, str]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def supervisor(home: Home, events: list[Event]) -> Iterator[Supervisor]:
    with Supervisor(home.run, home.logs, redact=["hunter2"], on_event=lambda *event: events.append(event)) as running:
        yield running


def python(
    name: str,
    code: str,
    *after: str,
    ready: Callable[[], bool] | None = None,
    ready_timeout_s: float = 10,
    stop_grace_s: float = 5,
) -> Service:
    argv = [sys.executable, "-c", code]
    return Service(
        name=name, argv=argv, env={}, after=after, ready=ready, ready_timeout_s=ready_timeout_s,
        stop_grace_s=stop_grace_s,
    )  # fmt: skip


def running_pid(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pid(name)
    assert pid is not None
    return pid


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(condition: Callable[[], bool], supervisor: Supervisor | None = None, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        if supervisor is not None:
            supervisor.poll()
        time.sleep(0.02)


def test_killed_child_is_named_and_started_again(supervisor: Supervisor, events: list[Event], home: Home) -> None:
    supervisor.start([python("singer", FOREVER)])
    first = running_pid(supervisor, "singer")

    os.kill(first, signal.SIGKILL)
    eventually(lambda: any(event[:2] == ("restarted", "singer") for event in events), supervisor)

    assert running_pid(supervisor, "singer") != first
    (crash,) = [detail for event, name, detail in events if (event, name) == ("crashed", "singer")]
    assert "SIGKILL" in crash
    logged = [json.loads(line) for line in (home.logs / "singer.jsonl").read_text().splitlines()]
    assert [entry["level"] for entry in logged if "singer crashed" in entry["message"]] == ["WARNING"]


def test_crash_takes_the_whole_group_along(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    code = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}])
pathlib.Path({str(note)!r}).write_text(str(child.pid))
time.sleep(600)
"""
    supervisor.start([python("parent", code, ready=lambda: note.exists() and note.read_text() != "")])
    grandchild = int(note.read_text())
    assert alive(grandchild)

    os.kill(running_pid(supervisor, "parent"), signal.SIGKILL)

    eventually(lambda: not alive(grandchild), supervisor)


def test_each_further_crash_waits_twice_as_long(supervisor: Supervisor, events: list[Event]) -> None:
    supervisor.start([python("doomed", "raise SystemExit(3)")])

    eventually(lambda: len([event for event in events if event[0] == "crashed"]) == 3, supervisor)

    details = [detail for event, _, detail in events if event == "crashed"]
    assert ["0.5 s" in details[0], "1 s" in details[1], "2 s" in details[2]] == [True] * 3
    assert all("exit code 3" in detail for detail in details)


def test_service_that_dies_at_start_is_quoted(supervisor: Supervisor) -> None:
    wrong = python("wrong", "raise SystemExit('cannot open config: hunter2')", ready=lambda: False)

    with pytest.raises(MuzikantasError, match=r"wrong ended 3 times(.|\n)*cannot open config: \*\*\*"):
        supervisor.start([wrong])


def test_program_that_is_not_there_is_quoted(supervisor: Supervisor) -> None:
    absent = Service(name="absent", argv=["/nowhere/server"], env={}, ready=lambda: False)

    with pytest.raises(MuzikantasError, match=r"(?s)absent ended 3 times.*/nowhere/server"):
        supervisor.start([absent])


def test_service_that_is_never_ready_is_quoted_and_ended(supervisor: Supervisor, events: list[Event]) -> None:
    slow = python("slow", f"print('warming up', flush=True); {FOREVER}", ready=lambda: False, ready_timeout_s=1)

    with pytest.raises(MuzikantasError, match=r"slow was not ready after 1 s(.|\n)*warming up"):
        supervisor.start([python("steady", FOREVER), slow])

    assert supervisor.pid("slow") is None
    assert alive(running_pid(supervisor, "steady"))
    assert ("stopped", "slow") in [event[:2] for event in events]


def test_starts_in_order_and_stops_in_reverse(home: Home, events: list[Event]) -> None:
    with Supervisor(home.run, home.logs, on_event=lambda *event: events.append(event)) as supervisor:
        supervisor.start(
            [python("third", FOREVER, "second"), python("second", FOREVER, "first"), python("first", FOREVER)]
        )
        supervisor.start([python("fourth", FOREVER, "third")])

    order = ["first", "second", "third", "fourth"]
    assert [name for event, name, _ in events if event == "ready"] == order
    assert [name for event, name, _ in events if event == "stopped"] == order[::-1]


def test_dependent_waits_until_the_other_is_ready(supervisor: Supervisor, events: list[Event], tmp_path: Path) -> None:
    note = tmp_path / "open"
    code = f"import pathlib, time; time.sleep(0.5); pathlib.Path({str(note)!r}).touch(); {FOREVER}"

    supervisor.start([python("client", FOREVER, "server"), python("server", code, ready=note.exists)])

    kinds = [event[:2] for event in events]
    assert kinds.index(("ready", "server")) < kinds.index(("started", "client"))


def test_deaf_service_is_killed_after_its_grace(home: Home) -> None:
    log = home.logs / "deaf.jsonl"
    with Supervisor(home.run, home.logs) as supervisor:
        deaf = python("deaf", STUBBORN, ready=lambda: "hears nothing" in log.read_text(), stop_grace_s=1)
        supervisor.start([deaf])
        pid = running_pid(supervisor, "deaf")
        started = time.monotonic()

    assert 0.9 < time.monotonic() - started < 5
    assert not alive(pid)


def test_restart_gives_a_new_process(supervisor: Supervisor, events: list[Event]) -> None:
    supervisor.start([python("singer", FOREVER)])
    first = running_pid(supervisor, "singer")

    supervisor.restart("singer")

    assert running_pid(supervisor, "singer") != first
    assert [event for event, _, _ in events] == ["started", "ready", "stopped", "started", "ready"]
    with pytest.raises(InputError, match="singer"):
        supervisor.restart("dancer")


def test_same_name_twice_is_refused(supervisor: Supervisor) -> None:
    supervisor.start([python("singer", FOREVER)])

    with pytest.raises(InputError, match="singer"):
        supervisor.start([python("singer", FOREVER)])


def test_other_threads_cannot_start_anything(supervisor: Supervisor) -> None:
    refused: list[Exception] = []

    def start() -> None:
        try:
            supervisor.start([python("singer", FOREVER)])
        except MuzikantasError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(refused[0])


def test_planted_secret_never_reaches_a_log(home: Home) -> None:
    code = "import json; print('key=hunter2'); print(json.dumps({'message': 'hunter2 and own-password'})); "
    code += "print('x' * 10**6)"
    service = Service(
        name="leaky", argv=[sys.executable, "-c", f"{code}\n{FOREVER}"], env={"PYTHONUNBUFFERED": "1"},
        secrets=("own-password",), ready=lambda: "bytes more" in (home.logs / "leaky.jsonl").read_text(),
    )  # fmt: skip
    with Supervisor(home.run, home.logs, redact=["hunter2"]) as supervisor:
        supervisor.start([service])

    text = (home.logs / "leaky.jsonl").read_text()
    assert "hunter2" not in text
    assert "own-password" not in text
    assert '{"message": "*** and ***"}' in text


# --- the supervisor itself is killed: it runs in a process of its own ---

SUPERVISING = """
import sys
from pathlib import Path
from muzikantas.local import Home, Service, Supervisor, hold
home = Home(Path(sys.argv[1]))
try:
    with hold(home.run), Supervisor(home.run, home.logs) as supervisor:
        supervisor.start([Service(name="child", argv=[sys.executable, "-c", sys.argv[2]], env={})])
        print(supervisor.pid("child"), flush=True)
        supervisor.run_until_stopped()
except KeyboardInterrupt:
    pass  # asked to end before it had begun to wait
"""


@pytest.fixture
def supervise(home: Home) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], int]]]:
    """Start another process that supervises a child running the given code; both process ids."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> tuple[subprocess.Popen[str], int]:
        argv = [sys.executable, "-c", SUPERVISING, str(home.path), code]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        child = int(started[-1].stdout.readline())
        # Before that it ends by itself when its parent is gone, death signal or not.
        eventually(lambda: b"launcher.py" not in Path(f"/proc/{child}/cmdline").read_bytes())
        return started[-1], child

    yield start
    for process in started:
        process.kill()
        process.communicate()


Supervise = Callable[[str], tuple[subprocess.Popen[str], int]]


def test_asked_to_end_it_ends_its_children_and_says_all_is_well(supervise: Supervise, home: Home) -> None:
    process, child = supervise(FOREVER)

    process.terminate()

    assert process.wait(10) == 0
    assert not alive(child)
    assert not (home.run / "children.json").exists()


def test_killed_supervisor_leaves_no_child(supervise: Supervise) -> None:
    process, child = supervise(FOREVER)
    assert alive(child)

    process.kill()

    eventually(lambda: not alive(child))


def test_second_start_says_who_holds_the_home(supervise: Supervise, home: Home) -> None:
    process, _ = supervise(FOREVER)

    with pytest.raises(InputError, match=f"held by pid {process.pid} .*since 20.*MUZ_HOME"), hold(home.run):
        pytest.fail("two holders")
    with pytest.raises(InputError, match=f"pid {process.pid}"), Supervisor(home.run, home.logs):
        pytest.fail("two supervisors")

    process.kill()
    process.wait()
    with hold(home.run):
        assert str(os.getpid()) in (home.run / "lock").read_text()


def test_what_a_dead_supervisor_left_is_swept(supervise: Supervise, home: Home, events: list[Event]) -> None:
    process, child = supervise(STUBBORN)
    eventually(lambda: "hears nothing" in (home.logs / "child.jsonl").read_text())
    process.kill()
    process.wait()
    time.sleep(0.3)
    assert alive(child), "it ignores its death signal, which this test needs"

    with Supervisor(home.run, home.logs, on_event=lambda *event: events.append(event)):
        assert [event[:2] for event in events] == [("swept", "child")]
        assert not alive(child)
