"""The Celery application and its base task, the one place where tasks wait, retry and fail.

Broker, backend and what follows from the visibility timeout come from the settings; all else is data in
`celeryconfig.py` and `beat_schedule.py`. Importing this module opens no connection.
"""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from celery import Celery, Task, bootsteps, signals
from celery.exceptions import Ignore, Retry, SoftTimeLimitExceeded

from muzikantas import logs, shipped
from muzikantas.domain.errors import InputError, MuzikantasError, TransientError
from muzikantas.domain.waiting import Wait, backoff_s, message_wait_s
from muzikantas.settings import Settings, settings
from muzikantas.studio import Studio, studio

logger = logging.getLogger(__name__)

#: Header in which a message carries how often in a row its task has failed for a passing reason.
FAILURES = "muz_failures"
#: Events are gathered for so long before they are sent.
EVENTS_S = 0.2


class StudioTask(Task):  # type: ignore[type-arg]  # celery-types makes it generic, Celery itself does not
    """Base of every task: gives it the process's studio, and turns waits and passing failures into retries."""

    abstract = True
    max_retries = None  # deadlines are in the rows

    @property
    def studio(self) -> Studio:
        """Engine, clients and store of this process, made at first use."""
        return studio()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (what the task takes and gives)
        """Run the task's story; wait, try again later, or give up as its error says."""
        with logs.context(
            task=self.name.rpartition(".")[2], task_id=self.request.id, subject=args[0] if args else None
        ):
            try:
                return super().__call__(*args, **kwargs)
            except (Ignore, Retry):
                raise
            except Wait as wait:
                again = self._come_back(wait, *args)
            except TransientError as error:
                failures = int((self.request.headers or {}).get(FAILURES, 0)) + 1
                logger.warning("failed for now (%d in a row): %s", failures, error)
                again = self._try_again(backoff_s(failures, error.retry_after_s), failures, error, *args)
            except (Exception, SoftTimeLimitExceeded) as error:
                if not self.give_up(error, *args):
                    raise
                # An error of ours says all there is to say; any other one is a fault to be found.
                logger.error("gave up: %s", error, exc_info=not isinstance(error, MuzikantasError))
                return args[0] if args else None
            # Outside of the handlers: Celery writes out an exception's whole chain, and waits are most of what we do.
            raise again

    def give_up(self, error: BaseException, *args: Any) -> bool:  # noqa: ANN401, ARG002 (arguments of the task)
        """Turn a final failure into a row, where the task has one; True when that is done."""
        return False

    def wait_longer(self, until: datetime, *args: Any) -> None:  # noqa: ANN401 (arguments of the task)
        """Note in the task's row that it is due at `until`: the wait is too long for a message."""

    def at_work(self, until: datetime, *args: Any) -> None:  # noqa: ANN401 (arguments of the task)
        """Note in the task's row that its own message brings it on, and that nobody else need do so before `until`."""

    def _come_back(self, wait: Wait, *args: Any) -> Ignore | Retry:  # noqa: ANN401 (arguments of the task)
        """Arrange the next delivery; give what tells Celery that this one is over."""
        seconds = (wait.until - datetime.now(UTC)).total_seconds()
        countdown = message_wait_s(seconds, settings().visibility_timeout_s)
        if countdown is None:
            logger.info("waits in its row: %s", wait)
            self.wait_longer(wait.until, *args)
            return Ignore()
        logger.debug("waits: %s", wait)
        return self._again(countdown, failures=0)

    def _try_again(self, wait_s: float, failures: int, error: TransientError, *args: Any) -> Ignore | Retry:  # noqa: ANN401 (as above)
        countdown = message_wait_s(wait_s, settings().visibility_timeout_s)
        if countdown is None:
            logger.info("waits in its row for %.0f s: %s", wait_s, error)
            self.wait_longer(datetime.now(UTC) + timedelta(seconds=wait_s), *args)
            return Ignore()
        # Without this `reconcile` would send another message beside each one that fails, and those multiply.
        with contextlib.suppress(TransientError):
            self.at_work(datetime.now(UTC) + timedelta(seconds=countdown + settings().reconcile_after_s), *args)
        return self._again(countdown, failures=failures)

    def _again(self, countdown: float, *, failures: int) -> Retry:
        """Send the task's next message."""
        return self.retry(countdown=countdown, headers={FAILURES: str(failures)}, throw=False)


def limits(settings: Settings) -> dict[str, Any]:
    """Everything that follows from the visibility timeout: hard limit below half of it, soft below hard."""
    timeout = settings.visibility_timeout_s
    hard = timeout * 0.45
    transport = {
        "visibility_timeout": timeout,
        "unacked_restore_interval": min(10, max(1, timeout // 5)),
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    return {
        "broker_transport_options": transport,
        "result_backend_transport_options": {"visibility_timeout": timeout},
        "visibility_timeout": timeout,
        "task_time_limit": hard,
        "task_soft_time_limit": hard * 0.8,
    }


class Configuration(Mapping[str, Any]):
    """The app's configuration, put together from data and settings when it is first read.

    Celery would swallow an error of an `on_configure` signal and go on with a broker on localhost; this one arrives.
    """

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (values of many types)
        """Give one value."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Name all values."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the values."""
        return len(self._values)

    @property
    def _values(self) -> dict[str, Any]:
        return configuration(settings())


@cache
def configuration(settings: Settings) -> dict[str, Any]:
    """Put data and settings together. Raises `InputError` when no broker is named."""
    url = settings.redis_url.get_secret_value()
    if not url:
        raise InputError(
            "no broker: REDIS_URL is not set and no stack is running; start one with `muzikantas up` or set REDIS_URL"
        )
    own = settings.beat_schedule
    schedule = shipped.load_file(own) if own else shipped.load("beat_schedule.py")
    data = {name: value for name, value in vars(shipped.load("celeryconfig.py")).items() if name.islower()}
    return {
        **data,
        "broker_url": url,
        "result_backend": url,
        "include": [f"muzikantas.tasks.{name}" for name in TASK_MODULES],
        "beat_schedule": schedule.beat_schedule,
        "worker_hijack_root_logger": False,
        **limits(settings),
    }


#: The stages of the loop; `muzikantas/tasks/` holds one module each.
TASK_MODULES = (
    "briefing",
    "catalogue",
    "charts",
    "cycles",
    "evolution",
    "generation",
    "learning",
    "listening",
    "market",
    "media",
    "performance",
    "releasing",
    "settling",
    "submission",
)

app: "Celery[Any]" = Celery("muzikantas", task_cls=StudioTask, set_as_current=True)


app.config_from_object(Configuration())


class GatheredEvents(bootsteps.StartStopStep):
    """Sends what Flower reads a few times a second, many events in one message.

    Celery sends what has gathered at every turn of its loop: mostly one event, which costs as much as to start a task.
    """

    requires = ("celery.worker.consumer.events:Events",)

    def start(self, parent: Any) -> None:  # noqa: ANN401 (Celery's consumer; called after every reconnect too)
        """Let the first event of a batch set the time at which all are sent."""
        dispatcher, hub = parent.event_dispatcher, parent.hub
        if dispatcher is None or hub is None:
            return
        pending = False

        def send() -> None:
            nonlocal pending
            pending = False
            dispatcher.flush()

        def gather() -> None:
            nonlocal pending
            if not pending:
                pending = True
                hub.call_later(EVENTS_S, send)

        dispatcher.on_send_buffered = gather


app.steps["consumer"].add(GatheredEvents)


@signals.setup_logging.connect
def _set_up_logging(**_: object) -> None:
    logs.set_up(settings())


@signals.worker_process_init.connect
def _start_child(**_: object) -> None:
    """Begin with connections of one's own: none is shared with the worker or another child."""
    studio.cache_clear()
