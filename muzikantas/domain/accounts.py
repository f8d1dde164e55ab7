"""Accounts at a provider: what each allows, how it fares, and which of them to use first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a provider allows one account: calls in any window, and jobs at the same time."""

    calls: int
    window_s: float
    concurrency: int


@dataclass(frozen=True, kw_only=True)
class Account:
    """One key at one provider: the operator's own, or that of a second licensed provider.

    Parameters
    ----------
    name
        Short and public; the key itself is never told to the governor.
    limits
        What the provider allows it.
    commercial
        Whether the account's licence lets its music be released; those that do are used first.
    """

    name: str
    limits: Limits
    commercial: bool = True


@dataclass(frozen=True, kw_only=True)
class Condition:
    """How an account fares just now.

    Parameters
    ----------
    calls
        Calls made in the window that ends now.
    slots
        Jobs in flight.
    cooldown_s
        Seconds until it may be called again, as the provider asked.
    out_of_credits
        The provider said lately that it is empty.
    refusals
        How often lately the provider asked it to slow down.
    """

    calls: int = 0
    slots: int = 0
    cooldown_s: float = 0.0
    out_of_credits: bool = False
    refusals: int = 0


def rank(accounts: Sequence[Account], conditions: Mapping[str, Condition]) -> list[Account]:
    """Order accounts by whom to ask first: licence, cool-down, health, then the one with the most room.

    Empty accounts are left out; of equals the one named first comes first.

    >>> few = Limits(calls=20, window_s=10, concurrency=2)
    >>> a, b, c = (Account(name=name, limits=few) for name in "abc")
    >>> found = rank([a, b, c], {"a": Condition(slots=1), "c": Condition(out_of_credits=True)})
    >>> [account.name for account in found]
    ['b', 'a']
    """
    usable = [account for account in accounts if not _condition(account, conditions).out_of_credits]
    return sorted(usable, key=lambda account: _badness(account, _condition(account, conditions)))


def _condition(account: Account, conditions: Mapping[str, Condition]) -> Condition:
    return conditions.get(account.name, Condition())


def _badness(account: Account, condition: Condition) -> tuple[bool, bool, int, float]:
    """Give what `rank` sorts by, the best account lowest."""
    limits = account.limits
    used = max(condition.calls / limits.calls, condition.slots / limits.concurrency)
    return (not account.commercial, condition.cooldown_s > 0, condition.refusals, used)
