"""The image on a real Docker engine: its worker joins a broker, knows its tasks and its queue, and comes back.

Opt-in: `pip install --group smoke` into an environment of its own, then `MUZ_SMOKE=1 pytest tests/smoke`. pytest-celery
replaces fixtures of Celery's, so it never joins the default run.
"""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("MUZ_SMOKE") != "1":
    pytest.skip("needs a Docker engine and pytest-celery; set MUZ_SMOKE=1 to run it", allow_module_level=True)
pytest_celery = pytest.importorskip("pytest_celery")
docker = pytest.importorskip("pytest_docker_tools")

ROOT = Path(__file__).parents[2]
QUEUE = "default"
#: A cold worker imports for a few seconds; the machine may be busy building.
READY_S = 120

label_image = docker.build(path=str(ROOT), tag="muzikantas:smoke")

# Takes the place of pytest-celery's own worker: our image, our command, nothing mounted into it.
default_worker_container = docker.container(
    image="{label_image.id}",
    environment=docker.fxtr("default_worker_env"),
    network="{default_pytest_celery_network.name}",
    wrapper_class=pytest_celery.CeleryWorkerContainer,
    timeout=READY_S,
    command=["celery", "-A", "muzikantas", "worker", "-Q", QUEUE, "-n", f"{QUEUE}@%h", "--concurrency=1"],
)


@pytest.fixture
def celery_broker_cluster(celery_redis_broker: Any) -> Iterator[Any]:
    """One Redis: the only broker that the settings know."""
    cluster = pytest_celery.CeleryBrokerCluster(celery_redis_broker)
    yield cluster
    cluster.teardown()


@pytest.fixture
def celery_backend_cluster() -> None:
    """No second server: results live in the broker's Redis."""


@pytest.fixture
def default_worker_env(celery_worker_cluster_config: dict[str, Any]) -> dict[str, str]:
    return {"REDIS_URL": celery_worker_cluster_config["celery_broker_cluster_config"]["urls"][0]}


def inspect(celery_setup: Any) -> Any:
    return celery_setup.app.control.inspect(timeout=10.0)


def test_the_worker_answers_and_takes_its_queue_only(celery_setup: Any) -> None:
    queues = inspect(celery_setup).active_queues()
    assert [node.partition("@")[0] for node in queues] == [QUEUE]
    assert [queue["name"] for taken in queues.values() for queue in taken] == [QUEUE]


def test_the_worker_knows_every_task(celery_setup: Any) -> None:
    known = {name for names in inspect(celery_setup).registered().values() for name in names}
    modules = importlib.import_module("muzikantas.celery").TASK_MODULES
    assert {name.split(".")[2] for name in known if name.startswith("muzikantas.")} == set(modules)


def test_a_killed_worker_comes_back(celery_setup: Any) -> None:
    celery_setup.worker.kill()
    assert not inspect(celery_setup).ping()
    celery_setup.worker.restart()
    assert inspect(celery_setup).ping()
