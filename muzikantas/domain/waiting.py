"""Waiting as arithmetic: who waits, how long, and why. Nothing here sleeps."""

from datetime import datetime, timedelta

#: First wait after a transient failure; enough for a restart of a small server to begin.
BACKOFF_BASE_S = 1.0
#: Whoever finds another at the same work looks again after this: work is seconds, its limit minutes.
PEEK_S = 2.0
#: No single wait of ours is longer; a provider's own `Retry-After` may be.
BACKOFF_CAP_S = 60.0
#: The first look comes a little after the usual duration: one look then finds most jobs finished.
FIRST_LOOK_SLACK = 1.02
#: Share of the usual duration between later looks while few jobs are in flight.
TICK_SHARE = 0.15
#: A longer wait than this is no message's any more, but a row's.
ROW_WAIT_S = 900.0
#: Looks a second that all jobs in flight may cause together.
LOOKS_PER_S = 4.0


class Wait(Exception):
    """Come back at `until` (aware UTC). Not a failure: no attempt is counted and no worker is held."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(f"{why}, until {until.isoformat()}")
        self.until = until
        self.why = why


def peek(until: datetime, now: datetime) -> datetime:
    """Give when to look again at what another process does: it may be done long before `until`, its last moment."""
    return min(until, now + timedelta(seconds=PEEK_S))


def backoff_s(failures: int, asked_s: float | None = None) -> float:
    """Seconds to wait after the given number of failures in a row (1, 2, …); what the other side asked for wins.

    >>> [backoff_s(n) for n in range(1, 9)]
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    >>> backoff_s(1, asked_s=86400)
    86400.0
    """
    if asked_s is not None:
        return float(max(asked_s, 0.0))
    return float(min(BACKOFF_BASE_S * 2.0 ** (max(failures, 1) - 1), BACKOFF_CAP_S))


def first_look_s(usual_s: float) -> float:
    """Seconds from a submit to the first look, for jobs that usually take `usual_s`.

    >>> first_look_s(100)
    102.0
    """
    return usual_s * FIRST_LOOK_SLACK


def tick_s(usual_s: float, in_flight: int) -> float:
    """Seconds between later looks: short, and longer the more jobs are in flight.

    >>> tick_s(100, in_flight=1), tick_s(100, in_flight=200), tick_s(1, in_flight=0)
    (15.0, 50.0, 0.5)
    """
    return max(usual_s * TICK_SHARE, in_flight / LOOKS_PER_S, 0.5)


def message_limit_s(visibility_timeout_s: float) -> float:
    """Longest countdown of one message.

    The broker delivers a message again that stays unacknowledged for its visibility timeout, and a message that counts
    down is unacknowledged: a quarter of it leaves room for a slow worker.
    """
    return visibility_timeout_s / 4


def message_wait_s(wait_s: float, visibility_timeout_s: float) -> float | None:
    """Countdown of the next message for a wait, or None when the wait is too long for messages to carry.

    A wait longer than one countdown is carried by several, one after the other; from `ROW_WAIT_S` on it is a row's
    `due_at`, and nothing waits in the broker.

    >>> message_wait_s(10, 300), message_wait_s(75, 300), message_wait_s(150, 300), message_wait_s(86400, 300)
    (10.0, 75.0, 75.0, None)
    >>> message_wait_s(-3, 300)
    0.0
    """
    if wait_s > ROW_WAIT_S:
        return None
    return min(max(float(wait_s), 0.0), message_limit_s(visibility_timeout_s))
