"""The stack as an operator meets it: `up`, the demonstration, and whose servers they touch."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg2
import pytest
from sqlalchemy import create_engine, text

from muzikantas.local import remove_servers_folder
from muzikantas.local.home import Home
from tests.integration.label import Label

COMMAND = [sys.executable, "-m", "muzikantas"]


def environment(home: Path, **values: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "MUZ_HOME": str(home), **values}


def test_a_second_start_on_the_same_folder_says_who_holds_it(label: Label) -> None:
    home = label.stack.home.path
    answer = subprocess.run(
        [*COMMAND, "up"], env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 2
    assert f"pid {os.getpid()}" in answer.stderr
    assert "MUZ_HOME" in answer.stderr


def test_a_command_with_no_stack_starts_the_database_for_itself(tmp_path: Path) -> None:
    try:
        answer = subprocess.run(
            [*COMMAND, "artist", "list"],
            env=environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        assert "starting the embedded PostgreSQL for this command" in answer.stderr
    finally:
        remove_servers_folder(Home(tmp_path))


def test_a_database_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    address = "postgresql://ada:secret-word@127.0.0.1:9/label"
    answer = subprocess.run(
        [*COMMAND, "artist", "list"],
        env=environment(tmp_path, DATABASE_URL=address),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert "cannot reach the database at 127.0.0.1:9/label" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "secret-word" not in answer.stderr


def test_the_demonstration_leaves_somebody_elses_servers_alone_and_agrees_with_its_database(
    label: Label, tmp_path: Path
) -> None:
    """The environment names a database and a broker that exist and are not the demonstration's."""
    theirs = create_engine(label.stack.env["DATABASE_URL"])
    with theirs.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS theirs CASCADE"))
        connection.execute(text("CREATE SCHEMA theirs"))
    named = f"{label.stack.env['DATABASE_URL']}?options=-csearch_path%3Dtheirs"
    (tmp_path / ".env").write_text("SUNO_API_KEY=sk-real-and-not-for-demos\nSUNO_BASE_URL=https://api.example.org\n")
    before = label.counts()
    answer = subprocess.run(
        [*COMMAND, "demo", "--cycles", "2", "--tracks", "2", "--json"],
        env=environment(tmp_path, DATABASE_URL=named, REDIS_URL=label.stack.env["REDIS_URL"], OPENAI_API_KEY="sk-x"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    home = Home(tmp_path / "demo")
    try:
        assert answer.returncode == 0, answer.stderr
        summary = json.loads(answer.stdout.strip().splitlines()[-1])
        assert summary["cycles_closed"] == summary["plans"] == 2
        assert summary["paid_requests"] == summary["provider_paid_requests"] == summary["tracks_made"] == 4
        assert summary["paid_twice"] == summary["lost"] == 0
        assert summary["outcome_first_two_cycles"] > 0
        assert Path(summary["reports"][0]).stat().st_size > 10_000
        with theirs.begin() as connection:
            made: int = connection.execute(
                text("SELECT count(*) FROM pg_tables WHERE schemaname = 'theirs'")
            ).scalar_one()
        assert made == 0
        assert {k: v for k, v in label.counts().items() if k == "artist_profiles"} == {
            "artist_profiles": before["artist_profiles"]
        }
        assert agrees(home, tmp_path, summary)
    finally:
        remove_servers_folder(home)


def agrees(home: Home, folder: Path, summary: dict[str, object]) -> bool:
    """Read the demonstration's database afterwards, as its command line offers."""
    listed = subprocess.run(
        [*COMMAND, "releases", "--json"],
        env=environment(home.path),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return listed.returncode == 0 and len(listed.stdout.splitlines()) == summary["tracks_made"]


@pytest.fixture
def running(tmp_path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "up"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_up_runs_everything_others_find_it_and_ctrl_c_stops_it_in_order(
    running: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert running.stdout is not None
    try:
        said = []
        for line in running.stdout:
            said.append(line)
            if line.startswith("Running."):
                break
        flower = next(line for line in said if line.startswith("Flower: http://127.0.0.1:"))
        assert "password" in flower
        assert (tmp_path / "run" / "env").stat().st_mode & 0o777 == 0o600
        ping = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "muzikantas", "inspect", "ping", "--timeout", "5", "-j"],
            env=environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ping.returncode == 0, ping.stderr
        nodes = {f"{queue}@muzikantas" for queue in ("suno", "media", "listen", "llm", "spotify", "default")}
        assert set(json.loads(ping.stdout.strip().splitlines()[0])) == nodes
        family = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
        assert running.wait(timeout=60) == 0, rest
        assert "Stopped." in rest
        deadline = time.monotonic() + 10
        while any(child.is_running() for child in family) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [child for child in family if child.is_running()]
        assert not (tmp_path / "run" / "env").exists()
    finally:
        running.kill()
        running.stdout.close()
        remove_servers_folder(Home(tmp_path))


def test_psycopg2_reads_the_summary_address_without_its_driver_name(label: Label) -> None:
    """Anybody may take `database_url` from a summary to another tool."""
    plain = label.stack.env["DATABASE_URL"].replace("+psycopg2", "")
    with psycopg2.connect(plain) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
