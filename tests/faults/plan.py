"""The script of one run: which process dies when, and which call of a provider goes wrong. Pure: a seed says all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

QUEUES = ("suno", "media", "listen", "llm", "default")
#: What can be killed besides workers and their children. `callbacks` is left out where the stack does not run it.
SERVERS = ("valkey", "postgres", "beat", "callbacks")


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One `kill -9`; `service` is the supervisor's name, and a `child` is one process of that worker's pool."""

    at_s: float
    kind: str
    service: str
    which: int = 0  #: the child's number, modulo how many there are


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One rule for the sandbox: the next call of an endpoint goes wrong so, once."""

    at_s: float
    rule: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Targets:
    """How much goes wrong in one run."""

    children: int
    workers: int
    each_server: int
    faults: int
    servers: Sequence[str] = SERVERS


@dataclass(frozen=True, kw_only=True)
class Script:
    """Everything that goes wrong, in the order of time."""

    kills: tuple[Kill, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One way in which a call can go wrong, and its share among all."""

    share: float
    provider: str
    endpoint: str
    do: Mapping[str, Any] = field(default_factory=dict)
    match: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rule(self) -> dict[str, Any]:
        """The rule as the sandbox reads it."""
        return {
            "provider": self.provider,
            "endpoint": self.endpoint,
            "match": dict(self.match),
            "times": 1,
            "do": dict(self.do),
        }


#: Not among them: a submit that breaks before it was accepted. Nobody can tell it from one that was accepted and not
#: answered, so it ends as unknown by design. Nor an account without credits: it stops every slot for minutes, by design
#: too. The ledger's own tests hold both cases.
DEEDS = (
    Deed(share=6, provider="suno", endpoint="generate", do={"delay_s": 2.0}),
    Deed(share=4, provider="suno", endpoint="generate", do={"accept_then_drop": True}),
    Deed(share=1, provider="suno", endpoint="generate", do={"accept_then_http": 502}),
    Deed(share=1, provider="suno", endpoint="generate", do={"accept_then_code": 500}),
    Deed(share=2, provider="suno", endpoint="generate", do={"accept_then_drop": True, "callback": "missing"}),
    Deed(share=2, provider="suno", endpoint="generate", do={"callback": "duplicate"}),
    Deed(share=2, provider="suno", endpoint="generate", do={"callback": "missing"}),
    Deed(share=2, provider="suno", endpoint="generate", do={"callback": "late"}),
    Deed(share=2, provider="suno", endpoint="generate", do={"callback": "out_of_order"}),
    Deed(share=2, provider="suno", endpoint="generate", do={"callback": "racing"}),
    Deed(share=2, provider="suno", endpoint="generate", do={"status": "CALLBACK_EXCEPTION"}),
    Deed(share=3, provider="suno", endpoint="generate", do={"fail": "GENERATE_AUDIO_FAILED", "refund": True}),
    Deed(share=2, provider="suno", endpoint="generate", do={"fail": "CREATE_TASK_FAILED"}),
    Deed(share=1, provider="suno", endpoint="generate", do={"fail": "SENSITIVE_WORD_ERROR"}),
    Deed(share=1, provider="suno", endpoint="generate", do={"code": 430}),
    Deed(share=1, provider="suno", endpoint="generate", do={"code": 413}),
    Deed(share=2, provider="suno", endpoint="generate", do={"identical_takes": True}),
    Deed(share=1, provider="suno", endpoint="generate", do={"zero_bytes": True}),
    Deed(share=10, provider="suno", endpoint="record-info", do={"http": 500}),
    Deed(share=6, provider="suno", endpoint="record-info", do={"drop": True}),
    Deed(share=6, provider="suno", endpoint="record-info", do={"delay_s": 3.0}),
    Deed(share=3, provider="suno", endpoint="record-info", do={"code": 500}),
    Deed(share=8, provider="suno", endpoint="file", do={"zero_bytes": True}),
    Deed(share=6, provider="suno", endpoint="file", do={"html": True}),
    Deed(share=4, provider="suno", endpoint="file", do={"expired": True}),
    Deed(share=3, provider="suno", endpoint="file", do={"truncated": 0.4}),
    Deed(share=2, provider="suno", endpoint="file", do={"short": True}),
    Deed(share=2, provider="suno", endpoint="file", do={"silent": True}),
    Deed(share=6, provider="suno", endpoint="file", do={"http": 503}),
    Deed(share=5, provider="suno", endpoint="file", do={"drop": True}),
    Deed(share=4, provider="openai", endpoint="responses", do={"http": 500}),
    Deed(share=3, provider="openai", endpoint="responses", do={"http": 429, "retry_after": 2}),
    Deed(share=3, provider="openai", endpoint="responses", do={"invalid_json": True}),
    Deed(share=2, provider="openai", endpoint="responses", do={"incomplete": True}),
    Deed(share=2, provider="openai", endpoint="responses", do={"refusal": True}),
    Deed(share=2, provider="openai", endpoint="responses", do={"drop": True}),
    Deed(share=4, provider="distribution", endpoint="streams", do={"http": 503}),
    Deed(share=2, provider="distribution", endpoint="streams", do={"html": True}),
    Deed(share=1, provider="distribution", endpoint="streams", do={"drop": True}),
)

#: What stays with a paid request and leaves no track to be had, whatever we do.
FATAL_TO_TASK = frozenset({"fail", "zero_bytes", "html", "expired"})
#: What makes the sandbox accept a request and not say so.
UNANSWERED = frozenset({"accept_then_drop", "accept_then_http", "accept_then_code"})
#: Answers to a submit that end its slot unpaid.
FATAL_CODES = frozenset({413})


def script(seed: int, span_s: float, targets: Targets) -> Script:
    """Draw one run of `span_s` seconds: every kind is spread over the whole of it, each at a random moment of its part.

    Equal seeds give equal scripts.
    """
    rng = np.random.default_rng(seed)
    kills = [
        Kill(at_s=at_s, kind="child", service=f"worker-{rng.choice(QUEUES)}", which=int(rng.integers(100)))
        for at_s in _moments(rng, targets.children, span_s)
    ]
    # Each worker in its turn: drawn at random, one would die again while it starts, which tests the supervisor only.
    kills += [
        Kill(at_s=at_s, kind="worker", service=f"worker-{QUEUES[number % len(QUEUES)]}")
        for number, at_s in enumerate(_moments(rng, targets.workers, span_s))
    ]
    for server in targets.servers:
        kills += [Kill(at_s=at_s, kind=server, service=server) for at_s in _moments(rng, targets.each_server, span_s)]
    return Script(
        kills=tuple(sorted(kills, key=lambda kill: kill.at_s)),
        faults=tuple(
            Fault(at_s=at_s, rule=deed.rule)
            for at_s, deed in zip(_moments(rng, targets.faults, span_s), _deeds(rng, targets.faults), strict=True)
        ),
    )


def _moments(rng: np.random.Generator, count: int, span_s: float) -> list[float]:
    """Draw a moment in each of `count` equal parts of the span."""
    return [float(moment) for moment in (np.arange(count) + rng.random(count)) * span_s / max(count, 1)]


def _deeds(rng: np.random.Generator, count: int) -> list[Deed]:
    """Draw deeds in the proportion of their shares, in random order; the rarest comes where the count allows it."""
    shares = np.array([deed.share for deed in DEEDS])
    edges = np.cumsum(shares) / shares.sum()
    offset = rng.random()
    picked = np.searchsorted(edges, (np.arange(count) + offset) / max(count, 1))
    return [DEEDS[int(index)] for index in rng.permutation(picked)]
