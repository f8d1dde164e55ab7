"""Waiting as arithmetic: who waits, how long, and why. Nothing here sleeps."""

from datetime import datetime, timedelta

#: First wait after a transient failure; enough for a restart of a small server to begin.
BACKOFF_BASE_S = 1.0
#: Whoever finds another at the same work looks again after this: work is seconds, its limit minutes.
PEEK_S = 2.0
#: No single wait of ours is longer; a provider's own `Retry-After` may be.
BACKOFF_CAP_S = 60.0
#: Share of the usual duration between the first look and the next.
TICK_SHARE = 0.05
#: Share of the time by which a job is late between later looks: the longer it takes, the less a look will find.
LATE_SHARE = 0.15
#: No two looks at one job are closer: a look and the way to it take a few hundredths of a second.
TICK_S = 0.5
#: A longer wait than this is no message's any more, but a row's.
ROW_WAIT_S = 900.0
#: Looks a second that all late jobs may cause together; a look is free at every provider, and costs us 10 ms.
LOOKS_PER_S = 40.0


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


def tick_s(usual_s: float, *, late_s: float, watched: int) -> float:
    """Seconds until the next look at a job that its last look found unfinished.

    Parameters
    ----------
    late_s
        By how much it has taken longer than the usual `usual_s` already; below 0 there is so much time left.
    watched
        Jobs that are late; all of them are looked at.

    Examples
    --------
    >>> [tick_s(100, late_s=late, watched=1) for late in (-10, 0, 10, 100)], tick_s(1, late_s=0, watched=1)
    ([10, 5.0, 5.0, 15.0], 0.5)
    >>> tick_s(10, late_s=0, watched=200)
    5.0
    """
    return max(-late_s, usual_s * TICK_SHARE, late_s * LATE_SHARE, watched / LOOKS_PER_S, TICK_S)


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
