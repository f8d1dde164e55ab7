"""The governor: may I call this provider now, and if not, when. Shared by all workers through Redis.

A sliding log of call times per account: in any window there are never more calls than allowed, which neither a token
bucket nor evenly spaced slots can promise. A cool-down that a provider asks for holds for every worker.
Without Redis nobody may call.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from muzikantas.domain.errors import TransientError
from muzikantas.domain.waiting import Wait

#: Network and clock jitter between our stamp and the provider's.
MARGIN_S = 0.25

# KEYS: log of calls, cool-down, leases. ARGV: window s, limit, leases allowed, lease (or ''), lease life s, member.
# Gives 0 when the call is stamped now, else the seconds to wait (as text: Redis cuts numbers to integers).
_ADMIT = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local pause = redis.call('PTTL', KEYS[2])
if pause > 0 then return tostring(pause / 1000) end
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return tostring(math.max(oldest[2] + window - now, 0.05))
end
if ARGV[4] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  if not redis.call('ZSCORE', KEYS[3], ARGV[4]) and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[3]) then
    return tostring(window / limit)
  end
  redis.call('ZADD', KEYS[3], now + tonumber(ARGV[5]), ARGV[4])
end
redis.call('ZADD', KEYS[1], now, ARGV[6])
redis.call('PEXPIRE', KEYS[1], math.ceil(window * 1000) + 1000)
return '0'
"""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a provider allows one account: calls in any window, and jobs at the same time."""

    calls: int
    window_s: float
    concurrency: int


class Governor:
    """Admits calls of one account of one provider."""

    def __init__(self, connection: redis.Redis, account: str, limits: Limits) -> None:
        self.limits = limits
        self._keys = [f"governor:{account}:{name}" for name in ("calls", "cooldown", "leases")]
        self._redis = connection
        self._script = connection.register_script(_ADMIT)

    def admit(self, *, lease: str = "", lease_s: float = 0.0) -> None:
        """Stamp a call that is made now, and hold a job's lease with it; raises `Wait` when it is not the time yet.

        Raises `TransientError` when Redis does not answer: without the governor nobody calls.
        """
        limits = self.limits
        arguments: list[str | float] = [
            limits.window_s + MARGIN_S,
            limits.calls,
            limits.concurrency,
            lease,
            lease_s,
            uuid.uuid4().hex,
        ]
        try:
            wait_s = float(self._script(keys=self._keys, args=arguments))
        except redis.RedisError as error:
            raise TransientError(f"the governor has no Redis: {error}") from error
        if wait_s > 0:
            raise Wait(_in(wait_s), f"{self._keys[0]} is at its limit")

    def release(self, lease: str) -> None:
        """Give a job's lease back. It expires by itself where this never runs."""
        try:
            self._redis.zrem(self._keys[2], lease)
        except redis.RedisError as error:
            raise TransientError(f"the governor has no Redis: {error}") from error

    def cool_down(self, seconds: float) -> None:
        """Let no worker call before `seconds` have passed: the provider asked for it."""
        try:
            self._redis.set(self._keys[1], "cooling down", px=max(int(seconds * 1000), 1))
        except redis.RedisError as error:
            raise TransientError(f"the governor has no Redis: {error}") from error


def _in(seconds: float) -> datetime:
    return datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC)
