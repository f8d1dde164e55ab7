"""`celeryconfig.py` and `beat_schedule.py` are plain data, and every name in them exists."""

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.schedules import BaseSchedule

from muzikantas import shipped
from muzikantas.celery import TASK_MODULES, app, limits
from muzikantas.domain.waiting import ROW_WAIT_S, message_limit_s, message_wait_s
from muzikantas.settings import Settings, settings

ROOT = Path(__file__).parents[2]
DATA = ("celeryconfig.py", "beat_schedule.py")
#: Everything else that a data file calls or imports would be logic.
IMPORTS = {"kombu", "celery.schedules"}
CALLS = {"Queue", "Exchange", "crontab", "schedule", "solar"}
DATA_NODES = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.Load, ast.keyword)


@pytest.fixture
def label(monkeypatch: pytest.MonkeyPatch) -> "Celery[Any]":
    """The app with all tasks, and with an address that nobody listens at: nothing here sends anything."""
    monkeypatch.setenv("REDIS_URL", "redis://:unused@127.0.0.1:1/0")
    settings.cache_clear()
    for name in TASK_MODULES:
        importlib.import_module(f"muzikantas.tasks.{name}")
    assert app.conf.task_routes
    return app


def own_tasks(app: "Celery[Any]") -> set[str]:
    return {name for name in app.tasks if name.startswith("muzikantas.")}


def violations(code: str) -> list[str]:
    """Name every statement that is more than an import of a data type or an assignment of plain data."""
    found = []
    for node in ast.parse(code).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        data_import = isinstance(node, ast.ImportFrom) and node.module in IMPORTS
        plain = isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets)
        if docstring or data_import or (plain and isinstance(node, ast.Assign) and is_data(node.value)):
            continue
        found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def is_data(value: ast.expr) -> bool:
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            if not (isinstance(node.func, ast.Name) and node.func.id in CALLS):
                return False
        elif isinstance(node, ast.Name):
            if node.id not in CALLS:
                return False
        elif not isinstance(node, DATA_NODES):
            return False
    return True


@pytest.mark.parametrize("name", DATA)
def test_shipped_files_are_plain_data(name: str) -> None:
    assert violations((ROOT / name).read_text()) == []


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "from os import environ",
        "broker_url = 'redis://' + host",
        "task_routes = dict(a=1)",
        "x = [n for n in range(3)]",
        "if True:\n    x = 1",
        "def route(name): return 'suno'",
        "x = f'{1}'",
        "a.b = 1",
        "x = (lambda: 1)()",
    ],
)
def test_logic_in_a_data_file_is_seen(code: str) -> None:
    assert len(violations(code)) == 1


def test_a_checkout_and_a_wheel_ship_the_same_files() -> None:
    for name in (*DATA, "alembic.ini", "migrations"):
        assert shipped.path(name).samefile(ROOT / name)


def test_every_task_has_a_route_to_a_queue_that_exists(label: "Celery[Any]") -> None:
    queues = set(label.amqp.queues)
    assert len(queues) == len(label.conf.task_queues)
    for name in own_tasks(label):
        # A task's own name goes before a pattern.
        routes = [name] if name in label.conf.task_routes else label.conf.task_routes
        patterns = [pattern for pattern in routes if name.startswith(pattern.removesuffix("*"))]
        assert len(patterns) == 1, f"{name} matches {patterns}"
        assert label.amqp.router.route({}, name)["queue"].name in queues


def test_every_route_leads_to_a_task(label: "Celery[Any]") -> None:
    for pattern, route in label.conf.task_routes.items():
        assert any(name.startswith(pattern.removesuffix("*")) for name in own_tasks(label)), pattern
        assert set(route) == {"queue"}


def test_every_queue_is_used(label: "Celery[Any]") -> None:
    routed = {route["queue"] for route in label.conf.task_routes.values()}
    assert routed == {queue.name for queue in label.conf.task_queues}


def test_a_misspelt_queue_is_an_error(label: "Celery[Any]") -> None:
    assert label.conf.task_create_missing_queues is False


def test_beat_names_tasks_and_times(label: "Celery[Any]") -> None:
    entries = shipped.load("beat_schedule.py").beat_schedule
    assert entries
    for title, entry in entries.items():
        assert entry["task"] in own_tasks(label), title
        assert set(entry) <= {"task", "schedule", "args", "kwargs"}, title
        when = entry["schedule"]
        assert isinstance(when, BaseSchedule) or (isinstance(when, int | float) and when > 0), title
        if isinstance(when, int | float):
            assert not isinstance(when, bool)


def test_nothing_but_json_is_taken_from_the_broker(label: "Celery[Any]") -> None:
    assert label.conf.accept_content == ["json"]
    assert (label.conf.task_serializer, label.conf.result_serializer) == ("json", "json")


def test_a_lost_worker_loses_no_message(label: "Celery[Any]") -> None:
    assert label.conf.task_acks_late is True
    assert label.conf.task_reject_on_worker_lost is True
    assert label.conf.worker_prefetch_multiplier == 1


@pytest.mark.parametrize("timeout_s", [8, 15, 60, 300, 3600, 43_200])
def test_limits_fit_into_the_visibility_timeout(timeout_s: int) -> None:
    values = limits(Settings(visibility_timeout_s=timeout_s))
    assert 0 < values["task_soft_time_limit"] < values["task_time_limit"] < timeout_s / 2
    assert message_limit_s(timeout_s) <= timeout_s / 4
    for wait_s in (0.0, 1.0, timeout_s / 4, timeout_s, ROW_WAIT_S):
        assert (message_wait_s(wait_s, timeout_s) or 0.0) <= timeout_s / 4
    assert message_wait_s(ROW_WAIT_S + 1, timeout_s) is None


@pytest.mark.parametrize("timeout_s", [8, 15, 60, 300, 3600])
def test_everyone_hears_the_same_visibility_timeout(timeout_s: int) -> None:
    """The shortest among the programs at a broker wins, so all three places must say the same."""
    values = limits(Settings(visibility_timeout_s=timeout_s))
    assert values["visibility_timeout"] == timeout_s
    assert values["broker_transport_options"]["visibility_timeout"] == timeout_s
    assert values["result_backend_transport_options"]["visibility_timeout"] == timeout_s


def test_results_outlive_a_cycle(label: "Celery[Any]") -> None:
    longest_s = Settings().cycle_deadline_s
    assert label.conf.result_expires > 2 * longest_s
