"""Who may call a provider, with which account, and when to come back; the arithmetic is in `admit.lua`.

A sliding log of call times per account: in any window there are never more calls than allowed, which neither a token
bucket nor evenly spaced slots can promise. A job that may not call yet gets a place: the time at which it can, going by
the log and by those before it. The place orders the queue and is no permission: whoever comes is looked at anew.
Without Redis nobody may call.
"""

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import redis

from muzikantas.clients.governor.state import State, by_owner
from muzikantas.domain.accounts import Account, Condition, rank
from muzikantas.domain.errors import OutOfCredits, TransientError
from muzikantas.domain.waiting import Wait

#: The way from our stamp to the provider's differs this much from call to call; 1.5 % of a window of 10 s.
MARGIN_S = 0.15
#: An account that was empty is tried again after this long: credits are bought without telling us.
EMPTY_S = 300.0
#: How long a provider's request to slow down counts against the account's health.
REFUSAL_S = 600.0


class Governor:
    """Admits calls to one provider through one or several accounts.

    Parameters
    ----------
    connection
        The Redis that all workers share.
    provider
        Name under which the workers meet.
    accounts
        The operator's own accounts.
    usual_s
        How long a job usually holds its lease, until that was observed.
    """

    def __init__(
        self, connection: redis.Redis, provider: str, accounts: Sequence[Account], *, usual_s: float = 60.0
    ) -> None:
        self.provider = provider
        self.accounts = tuple(accounts)
        self._usual_s = usual_s
        self._redis = connection
        self._admit = connection.register_script(_script("admit.lua"))
        self._release = connection.register_script(_script("release.lua"))

    def admit(self, job: str, *, owner: str, lease_s: float, weight: float = 1.0) -> Account:
        """Stamp a call that is made now and hold the job's lease; give the account to call with.

        Parameters
        ----------
        job
            Name of the job; the same one again keeps its account, its lease and its place.
        owner
            Whose work it is: owners share what the provider allows.
        lease_s
            When the lease ends by itself, should nobody renew or release it; 0 for a call that is over when answered.
        weight
            Share of the owner, in proportion to the others'.

        Raises
        ------
        Wait
            It is not the time yet; come at its time. Places are distinct: no two jobs are sent to the same one.
        OutOfCredits
            Every account is empty.
        TransientError
            Redis does not answer: without the governor nobody calls.
        """
        with self._answering():
            ranked = self._ranked()
            arguments: list[str | float] = [job, owner, weight, lease_s, self._usual_s, uuid.uuid4().hex]
            for account in ranked:
                limits = account.limits
                arguments += [limits.window_s + MARGIN_S, limits.calls, limits.concurrency]
            keys = [self._key(name) for name in ("queue", "plan", "owners", "finish", "facts")]
            keys += [
                self._key(name, each) for each in ranked for name in ("calls", "leases", "starts", "pause", "empty")
            ]
            number, wait_s = self._admit(keys=keys, args=arguments) if ranked else (-1, 0)
        if int(number) < 0:
            raise OutOfCredits(f"{self.provider}: no account has credits left ({', '.join(self._names)})")
        if int(number) == 0:
            raise Wait(datetime.now(UTC) + timedelta(seconds=float(wait_s)), f"{self.provider} is at its limit")
        return ranked[int(number) - 1]

    def renew(self, job: str, lease_s: float, *, account: str, owner: str) -> None:
        """Hold a running job's lease for `lease_s` from now; one that has expired or was never held begins now."""
        with self._answering():
            seconds, micros = self._redis.time()
            now = seconds + micros / 1e6
            pipe = self._redis.pipeline()
            pipe.zadd(self._key("leases", account), {job: now + lease_s})
            pipe.zadd(self._key("starts", account), {job: now}, nx=True)
            pipe.hset(self._key("owners"), job, owner)
            pipe.execute()

    def release(self, job: str) -> None:
        """Give back a job's lease or place. A lease expires by itself where this never runs."""
        with self._answering():
            keys = [self._key(name) for name in ("queue", "plan", "owners", "facts")]
            keys += [self._key(name, account) for account in self._names for name in ("leases", "starts")]
            self._release(keys=keys, args=[job])

    def cool_down(self, account: Account, seconds: float) -> None:
        """Let no worker call with this account before `seconds` have passed: the provider asked for it."""
        refusals = self._key("refusals", account)
        with self._answering():
            pipe = self._redis.pipeline()
            pipe.set(self._key("pause", account), "cooling down", px=max(int(seconds * 1000), 1))
            pipe.incr(refusals)
            pipe.expire(refusals, int(REFUSAL_S))
            pipe.execute()

    def out_of_credits(self, account: Account) -> None:
        """Leave this account alone for a while: the provider said that it is empty."""
        with self._answering():
            self._redis.set(self._key("empty", account), "out of credits", px=int(EMPTY_S * 1000))

    def state(self) -> State:
        """Look at all of it at once, changing nothing."""
        with self._answering():
            conditions = self._conditions()
            pipe = self._redis.pipeline()
            pipe.hgetall(self._key("owners"))
            pipe.zrange(self._key("plan"), 0, -1, withscores=True)
            pipe.time()
            for name in self._names:
                pipe.zrange(self._key("leases", name), 0, -1, withscores=True)
            owners, plan, (seconds, micros), *leases = pipe.execute()
        now = seconds + micros / 1e6
        named = {job.decode(): owner.decode() for job, owner in owners.items()}
        return State(
            provider=self.provider,
            accounts=tuple(zip(self.accounts, conditions, strict=True)),
            waiting=by_owner(named, {job.decode() for job, _ in plan}),
            in_flight=by_owner(named, {job.decode() for each in leases for job, end in each if end > now}),
            next_in_s=max(plan[0][1] - now, 0.0) if plan else None,
        )

    def _ranked(self) -> list[Account]:
        """Order the accounts by whom to ask first. The script looks at one account well enough by itself."""
        if len(self.accounts) == 1:
            return list(self.accounts)
        return rank(self.accounts, dict(zip(self._names, self._conditions(), strict=True)))

    @property
    def _names(self) -> list[str]:
        return [account.name for account in self.accounts]

    def _conditions(self) -> list[Condition]:
        """Read how every account fares."""
        seconds, micros = self._redis.time()
        now = seconds + micros / 1e6
        pipe = self._redis.pipeline(transaction=False)
        for account in self.accounts:
            pipe.zcount(self._key("calls", account), now - account.limits.window_s - MARGIN_S, "+inf")
            pipe.zcount(self._key("leases", account), now, "+inf")
            pipe.pttl(self._key("pause", account))
            pipe.exists(self._key("empty", account))
            pipe.get(self._key("refusals", account))
        answers: list[Any] = pipe.execute()
        return [
            Condition(
                calls=calls,
                slots=slots,
                cooldown_s=max(pause_ms, 0) / 1000,
                out_of_credits=bool(empty),
                refusals=int(refusals or 0),
            )
            for calls, slots, pause_ms, empty, refusals in zip(*[iter(answers)] * 5, strict=True)
        ]

    def _key(self, name: str, account: Account | str = "") -> str:
        which = account.name if isinstance(account, Account) else account
        return ":".join(part for part in ("governor", self.provider, name, which) if part)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn Redis' errors into ours."""
        try:
            yield
        except redis.RedisError as error:
            raise TransientError(f"the governor has no Redis: {error}") from error


def _script(name: str) -> str:
    """Read one of the scripts beside this file."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
