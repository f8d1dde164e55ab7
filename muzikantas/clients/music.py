"""A music provider as this installation uses it: how it is spoken to, with which keys, at what pace."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from muzikantas.clients.generators import Generator
from muzikantas.clients.governor import Governor
from muzikantas.domain.accounts import Account, Limits
from muzikantas.domain.brief import ProviderFacts
from muzikantas.domain.errors import Unauthorized


@dataclass(frozen=True, kw_only=True)
class Music:
    """One provider, ready for use; `keys` has the key of each account that the governor knows."""

    generator: Generator
    governor: Governor
    keys: Mapping[str, str]

    @property
    def facts(self) -> ProviderFacts:
        """What is known of the provider."""
        return self.generator.facts

    def key(self, account: str | None) -> str:
        """Give an account's key, or the first where a row names none. Raises `Unauthorized` when it is not there."""
        found = next(iter(self.keys.values()), None) if account is None else self.keys.get(account)
        if found is None:
            raise Unauthorized(f"the key of account {account} is not among the settings of {self.facts.name} any more")
        return found


def accounts(provider: str, keys: list[str], limits: Limits) -> dict[str, Account]:
    """Make an account of each key, by its key: its name tells keys apart and tells nobody the key.

    >>> few = Limits(calls=20, window_s=10, concurrency=2)
    >>> [account.name for account in accounts("kie", ["one", "two"], few).values()]
    ['kie-7692c3', 'kie-3fc4cc']
    """
    return {
        key: Account(name=f"{provider}-{hashlib.sha256(key.encode()).hexdigest()[:6]}", limits=limits) for key in keys
    }
