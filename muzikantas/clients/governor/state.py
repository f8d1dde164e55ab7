"""What the governor knows at a moment, for people to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from muzikantas.domain.accounts import Account, Condition


@dataclass(frozen=True, kw_only=True)
class State:
    """Accounts with their conditions, and who waits and flies, by owner."""

    provider: str
    accounts: tuple[tuple[Account, Condition], ...]
    waiting: Mapping[str, int]
    in_flight: Mapping[str, int]
    next_in_s: float | None  #: when the first of those who wait is to come; None: nobody waits

    def as_json(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        accounts = [
            {
                "account": account.name,
                "commercial": account.commercial,
                **asdict(condition),
                "limits": asdict(account.limits),
            }
            for account, condition in self.accounts
        ]
        owners = sorted({*self.waiting, *self.in_flight})
        return {
            "provider": self.provider,
            "accounts": accounts,
            "owners": {
                owner: {"waiting": self.waiting.get(owner, 0), "in_flight": self.in_flight.get(owner, 0)}
                for owner in owners
            },
            "waiting": sum(self.waiting.values()),
            "next_in_s": self.next_in_s,
        }


def by_owner(owners: Mapping[str, str], jobs: set[str]) -> dict[str, int]:
    """Count jobs by their owner.

    >>> by_owner({"1": "a", "2": "b", "3": "a"}, {"1", "3"})
    {'a': 2}
    """
    return dict(Counter(owner for job, owner in owners.items() if job in jobs))
