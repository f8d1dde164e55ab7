"""The moment of payment: an order becomes a charged task whose takes are already drawn."""

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from muzikantas.sandbox.config import Config
from muzikantas.sandbox.deeds import AUDIO, UNANSWERED, Deed
from muzikantas.sandbox.json_values import as_json
from muzikantas.sandbox.ledger import Ledger
from muzikantas.sandbox.obedience import realise, seeded
from muzikantas.sandbox.prompt import read_style

#: Deeds that stay with a task and are obeyed whenever it is looked at.
_STAYS = AUDIO | UNANSWERED | {"fail", "refund", "status", "callback", "delay_s", "keep_days"}

_SPREAD = 0.25  #: of generation times, as the standard deviation of their logarithm


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a client asks for and what it costs."""

    provider: str
    prefix: str  #: of the provider's paths; keeps equal orders at different providers apart
    account: str
    body: Mapping[str, Any]
    title: str
    style: str
    reference: str | None  #: the callback address, which carries the client's own reference
    price: int
    takes: int
    asked_s: float | None = None  #: length of the audio where the provider lets one choose


def said(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a body asks for, without the address that differs from run to run."""
    return {name: value for name, value in body.items() if name != "callBackUrl"}


def accept(order: Order, deed: Deed, *, config: Config, ledger: Ledger) -> str:
    """Charge the account and write down the task with what its takes will be; give its id.

    A task is named by what it asks for and by how often that was asked before, so that a replayed demo gets the same
    songs.
    """
    text = order.prefix + json.dumps(said(order.body), sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    number = ledger.number("SELECT count(*) FROM tasks WHERE digest = ?", digest)
    task_id = _name(f"{config.seed}/{digest}/{number}")
    spread = float(seeded(config.seed, "duration", task_id).normal(0, _SPREAD))
    task = {
        "id": task_id,
        "provider": order.provider,
        "account": order.account,
        "digest": digest,
        "body": as_json(order.body),
        "title": order.title,
        "style": order.style,
        "reference": order.reference,
        "charged": order.price,
        "accepted_at": time.time(),
        "duration_s": config.generation_seconds * math.exp(spread),
        "fault": as_json(staying(deed)) if deed else None,
    }
    ledger.accept(task, [_take(order, task_id, position, config.seed) for position in range(order.takes)])
    return task_id


def _take(order: Order, task_id: str, position: int, seed: int) -> dict[str, Any]:
    take_id = _name(f"{task_id}/{position}")
    realised = as_json(asdict(realise(read_style(order.style), seed=seed, take_id=take_id)))
    return {
        "id": take_id,
        "task_id": task_id,
        "position": position,
        "realised": realised,
        "asked_s": order.asked_s,
    }


def staying(deed: Deed) -> Deed:
    """Keep what concerns the job. Only what failed is refunded, so a refund alone is a failure too."""
    failure = {"fail": "GENERATE_AUDIO_FAILED"} if deed.get("refund") else {}
    return failure | {name: deed[name] for name in deed if name in _STAYS}


def _name(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
