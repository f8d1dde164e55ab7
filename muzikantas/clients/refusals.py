"""What a provider has refused for good, written down for all workers: asked again only when the note has expired."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from muzikantas.domain.errors import PermanentError, Refused, TransientError, Unauthorized


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One thing that was refused: when, in whose words, and until when nobody asks for it again (ISO 8601, UTC)."""

    what: str
    said: str
    at: str
    until: str
    unauthorized: bool

    def error(self) -> PermanentError:
        """Give it as the error that it is."""
        kind = Unauthorized if self.unauthorized else Refused
        return kind(f"{self.said} (refused at {self.at}; nobody asks again before {self.until})")


class Refusals:
    """The notes on one provider and key: `whose` is a public name of the key, so that a new key begins anew."""

    def __init__(self, connection: redis.Redis, provider: str, whose: str) -> None:
        self._redis, self._prefix = connection, f"refused:{provider}:{whose}:"

    def check(self, *names: str) -> None:
        """Raise the first of these that was refused and whose note still stands."""
        with self._answering():
            found: Any = self._redis.mget([self._prefix + name for name in names])
        for note in found:
            if note:
                raise Refusal(**json.loads(note)).error()

    def note(self, what: str, error: PermanentError, *, keep_s: float) -> PermanentError:
        """Write down a refusal for `keep_s`; give it as an error that says until when."""
        now = datetime.now(UTC).replace(microsecond=0)
        refusal = Refusal(
            what=what,
            said=str(error),
            at=now.isoformat(),
            until=(now + timedelta(seconds=keep_s)).isoformat(),
            unauthorized=isinstance(error, Unauthorized),
        )
        with self._answering():
            self._redis.set(self._prefix + what, json.dumps(asdict(refusal)), px=int(keep_s * 1000), nx=True)
        return refusal.error()

    def standing(self) -> list[Refusal]:
        """List what is refused now, for people to look at."""
        with self._answering():
            notes: Any = [self._redis.get(key) for key in self._redis.scan_iter(match=self._prefix + "*")]
        return sorted((Refusal(**json.loads(note)) for note in notes if note), key=lambda refusal: refusal.what)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn Redis' errors into ours."""
        try:
            yield
        except redis.RedisError as error:
            raise TransientError(f"the notes on refusals have no Redis: {error}") from error
