"""The music providers behind one port, by name: what each can do is a table, how it is spoken to is its own file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

from muzikantas.clients.elevenlabs import ELEVENLABS_FACTS, ElevenLabsGenerator
from muzikantas.clients.suno import SunoGenerator
from muzikantas.clients.suno_dialects import KIE, KIE_FACTS, SUNOAPI, SUNOAPI_FACTS
from muzikantas.domain.brief import Brief, JobState, ProviderFacts, Submitted
from muzikantas.domain.errors import InputError

Value = str | int | float | bool | Sequence[str]


class Generator(Protocol):
    """Makes music for money.

    - Idempotency: `submit` has none, anywhere. Called twice it is paid twice; who calls it holds the right to, once.
      `look` and `credits_left` are free and may be repeated.
    - Ordering: none is promised. A job may end before the answer to its submit arrives, and jobs end in any order.
    - Errors: one attempt a call, and never a sleep. `TransientError`, `OutOfCredits`, `Unauthorized` and `Refused` from
      `submit` mean that nothing was made; `UnknownOutcome` that nobody knows, so it is never sent again. `look` and
      `credits_left` raise `TransientError` or `Unauthorized`.
    """

    @property
    def facts(self) -> ProviderFacts:
        """What is known of this provider."""

    def submit(self, brief: Brief, *, key: str, reference: str, callback_url: str | None) -> Submitted:
        """Send one paid request. `reference` names it in errors and logs; without an address nobody is called back.

        A synchronous provider (`facts.synchronous`) answers with the audio, which exists nowhere else: keep it before
        anything is written about it.
        """

    def look(self, task_id: str, *, key: str) -> JobState:
        """Ask how a job is going."""

    def credits_left(self, *, key: str) -> int | None:
        """Ask what the account has left, in the provider's credits; None where it does not say."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One entry of the registry."""

    base_url: str
    facts: ProviderFacts
    make: Callable[[str, ProviderFacts], Generator]


GENERATORS: Mapping[str, Provider] = {
    "sunoapi": Provider(
        base_url="https://api.sunoapi.org",
        facts=SUNOAPI_FACTS,
        make=lambda base_url, facts: SunoGenerator(base_url, SUNOAPI, facts),
    ),
    "kie": Provider(
        base_url="https://api.kie.ai",
        facts=KIE_FACTS,
        make=lambda base_url, facts: SunoGenerator(base_url, KIE, facts),
    ),
    "elevenlabs": Provider(
        base_url="https://api.elevenlabs.io",
        facts=ELEVENLABS_FACTS,
        make=ElevenLabsGenerator,
    ),
}


def generator(name: str, *, base_url: str = "", known: Mapping[str, Value] | None = None) -> Generator:
    """Make the generator of a provider.

    Parameters
    ----------
    base_url
        Another server that speaks the same, instead of the provider's own.
    known
        What this installation knows better than the documented facts, by field of `ProviderFacts`.

    Raises
    ------
    InputError
        No such provider, no such fact, or a value that it cannot have.
    """
    provider = GENERATORS.get(name)
    if provider is None:
        raise InputError(f"no music provider is called {name!r}; expected one of {', '.join(GENERATORS)}")
    return provider.make(base_url or provider.base_url, with_known(provider.facts, known or {}))


def with_known(facts: ProviderFacts, known: Mapping[str, Value]) -> ProviderFacts:
    """Replace facts by what an installation knows better. Raises `InputError`.

    >>> from muzikantas.clients.suno_dialects import KIE_FACTS
    >>> better = with_known(KIE_FACTS, {"concurrency": "40", "models": "V6, V6_MINI"})
    >>> better.concurrency, better.models
    (40, ('V6', 'V6_MINI'))
    """
    may_change = [field.name for field in fields(facts) if field.name != "name"]
    for name in known:
        if name not in may_change:
            raise InputError(f"{facts.name}: no fact is called {name!r}; expected one of {', '.join(may_change)}")
    return replace(facts, **{name: _read(facts, name, value) for name, value in known.items()})  # type: ignore[arg-type] # `_read` gives each field its own type


def _read(facts: ProviderFacts, name: str, value: Value) -> object:
    """Turn a configured value into the type of the fact that it replaces."""
    documented, text = getattr(facts, name), str(value).strip()
    try:
        if isinstance(documented, bool):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if isinstance(documented, tuple):
            parts = value.split(",") if isinstance(value, str) else list(value)  # type: ignore[arg-type] # a number fails below
            return tuple(str(part).strip() for part in parts)
        if isinstance(documented, int | float) and float(text) < 0:
            raise ValueError(text)
        return type(documented)(text)
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{facts.name}: {name} is {value!r}; expected something like the documented {documented!r}"
        ) from None
