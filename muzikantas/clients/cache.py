"""Answers that all workers share, kept in Redis for a while; of those who ask at once one fetches."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from muzikantas.domain.errors import TransientError
from muzikantas.domain.waiting import PEEK_S, Wait

#: A flight belongs to who began it: one that took too long must not end the flight of the next.
_LAND = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class SharedCache:
    """JSON values by key.

    Parameters
    ----------
    connection
        The Redis that all workers share.
    name
        Under which the workers meet.
    busy_s
        Longest fetch; after it, others take the fetcher for dead.
    """

    def __init__(self, connection: redis.Redis, name: str, *, busy_s: float) -> None:
        self._redis, self._name, self._busy_s = connection, name, busy_s
        self._land = connection.register_script(_LAND)

    def once(self, key: str, fetch: Callable[[], Any], keep_s: Callable[[Any], float]) -> Any:  # noqa: ANN401 (whatever `fetch` gives)
        """Give what is kept, else fetch it and keep it for as long as `keep_s` says of it; errors are not kept.

        Raises
        ------
        Wait
            Another worker is fetching it now: come back for what it finds.
        TransientError
            Redis does not answer.
        """
        with self._answering():
            kept = self._kept(key)
        if kept is None:
            with self._flight(key):
                with self._answering():
                    kept = self._kept(key)
                if kept is None:
                    kept = [fetch()]
                    self._keep(key, kept, keep_s(kept[0]))
        return kept[0]

    def drop(self, key: str) -> None:
        """Forget what is kept under a key."""
        with self._answering():
            self._redis.delete(self._key("kept", key))

    def _kept(self, key: str) -> list[Any] | None:
        """Read what is kept, in a list of one: the value itself may be None."""
        found: Any = self._redis.get(self._key("kept", key))
        return json.loads(found) if found else None

    def _keep(self, key: str, kept: list[Any], keep_s: float) -> None:
        if keep_s > 0:
            with self._answering():
                self._redis.set(self._key("kept", key), json.dumps(kept), px=int(keep_s * 1000) or 1)

    @contextlib.contextmanager
    def _flight(self, key: str) -> Iterator[None]:
        """Be the only one who fetches, or raise `Wait`."""
        flight, mine = self._key("flight", key), uuid.uuid4().hex
        with self._answering():
            begun = self._redis.set(flight, mine, px=int(self._busy_s * 1000), nx=True)
        if not begun:
            raise Wait(datetime.now(UTC) + timedelta(seconds=PEEK_S), f"another worker asks for {self._name} {key}")
        try:
            yield
        finally:
            # Where Redis has gone meanwhile, the flight ends by itself; what came of it must arrive.
            with contextlib.suppress(redis.RedisError):
                self._land(keys=[flight], args=[mine])

    def _key(self, what: str, key: str) -> str:
        return f"cache:{self._name}:{what}:{key}"

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn Redis' errors into ours."""
        try:
            yield
        except redis.RedisError as error:
            raise TransientError(f"the cache of {self._name} has no Redis: {error}") from error
