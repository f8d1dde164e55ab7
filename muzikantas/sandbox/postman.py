"""Delivers callbacks: one plain POST an attempt, to this machine only, tried again while the receiver is down."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from muzikantas.sandbox.answers import is_loopback

TIMEOUT_S = 15.0  #: as documented; a client must answer sooner
RETRIES = 3
RETRY_AFTER_S = 1.0

_ANSWER_BYTES = 65_536
_WRONG_KEY = "not the key of this webhook"


def signature(task_id: str, timestamp: int, key: str) -> str:
    """Sign a callback as kie.ai does. The body is not part of it.

    Source: docs.kie.ai, "Webhook Verification".
    """
    signed = hmac.new(key.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def signed_headers(task_id: str, key: str, *, good: bool) -> dict[str, str]:
    """Give the two headers of a signed callback, or of one that somebody else sends."""
    timestamp = int(time.time())
    value = signature(task_id, timestamp, key if good else _WRONG_KEY)
    return {"X-Webhook-Timestamp": str(timestamp), "X-Webhook-Signature": value}


async def deliver(address: str, body: bytes, headers: Mapping[str, str], note: Callable[[float, str], None]) -> str:
    """POST until the receiver has it or has refused it; `note` hears of every attempt. Give the last outcome."""
    host = urlsplit(address).hostname or ""
    if not is_loopback(host):
        return f"skipped: {host or address} is not this machine"
    for attempt in range(1 + RETRIES):
        if attempt:
            await asyncio.sleep(RETRY_AFTER_S)
        at = time.time()
        outcome, received = await _post(address, body, headers)
        note(at, outcome)
        if received:
            break
    return outcome


async def _post(address: str, body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    """POST once, without redirects or proxies; say how it went and whether the receiver has dealt with it."""
    parts = urlsplit(address)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    fields = {"host": parts.netloc, "content-type": "application/json", "content-length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**fields, **headers}.items())]
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode() + body)
                await writer.drain()
                status = int((await reader.readline()).split()[1])
                await reader.read(_ANSWER_BYTES)  # a socket closed with unread bytes looks broken to the receiver
            finally:
                writer.close()
    except (OSError, ValueError, IndexError) as error:
        return f"failed: {error!r}", False
    return f"answered {status}", status < 500
