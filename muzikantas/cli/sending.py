"""Tasks sent from a command: to a broker that answers, or with one clear line that none does."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import redis
from kombu.exceptions import OperationalError

from muzikantas.domain.errors import InputError
from muzikantas.settings import settings

if TYPE_CHECKING:
    from celery.canvas import Signature
    from celery.result import AsyncResult

#: A broker on this or the next machine answers in milliseconds; a command asks a person to wait no longer.
PATIENCE_S = 2.0


def require_broker() -> None:
    """Raise `InputError` unless the broker of the settings answers a ping."""
    url = settings().redis_url.get_secret_value()
    if not url:
        raise InputError(
            "no broker: REDIS_URL is not set and no stack is running; start one with `muzikantas up` or set REDIS_URL"
        )
    try:
        with broker_at(url) as connection:
            connection.ping()
    except (redis.RedisError, ValueError) as error:
        raise InputError(
            f"the broker at {address(url)} does not answer ({type(error).__name__}); start it, "
            "run `muzikantas up`, or correct REDIS_URL"
        ) from None


def broker_at(url: str) -> redis.Redis:
    """Connect to the broker with little patience."""
    return redis.Redis.from_url(url, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S)


def send(signature: "Signature[Any]") -> "AsyncResult[Any]":
    """Send a task once. Raises `InputError` when there is no broker that takes it."""
    require_broker()
    try:
        return signature.apply_async(retry=False)
    except OperationalError as error:
        raise InputError(f"the broker did not take the task: {error}") from error


def address(url: str) -> str:
    """Give host and port of a broker's URL, or its socket, without its password.

    >>> address("redis://:secret@127.0.0.1:6379/0")
    '127.0.0.1:6379'
    """
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path or "(no host)"
