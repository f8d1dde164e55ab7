"""The callback service without a stack: bodies in pieces, bodies that never end, a database that is away."""

import asyncio
import json
import logging
from typing import Any

import pytest

from muzikantas.api import callbacks
from muzikantas.api.callbacks import BODY_BYTES, create_app
from muzikantas.settings import Settings
from muzikantas.studio import Studio

PATH = "/callbacks/sunoapi/2b1f7c1e-6f0e-4c5c-9d3a-0d5a1c1e7a11"
GOOD = {"code": 200, "msg": "", "data": {"callbackType": "complete", "task_id": "2fac", "data": []}}
#: Nobody listens at port 1.
AWAY = Settings(database_url="postgresql://nobody:unused@127.0.0.1:1/nowhere", redis_url="redis://127.0.0.1:1/0")


def answer(method: str, path: str, *pieces: bytes, ends: bool = True) -> tuple[int, Any]:
    """Call the service as a web server does, without a socket; give status and body."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        if not ends:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    app = create_app(Studio(AWAY), webhook_keys={})
    asyncio.run(app(scope, receive, send))
    return said[0]["status"], json.loads(b"".join(part.get("body", b"") for part in said[1:]))


def test_health_needs_no_database() -> None:
    assert answer("GET", "/health") == (200, {"status": "ok"})


def test_a_body_is_measured_as_it_comes() -> None:
    """No header says how long it is."""
    status, _ = answer("POST", PATH, *[b" " * 1024] * (BODY_BYTES // 1024 + 1))
    assert status == 413


def test_a_body_that_does_not_end_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "BODY_S", 0.05)
    status, _ = answer("POST", PATH, b"{", ends=False)
    assert status == 408


def test_without_a_database_the_provider_may_call_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        status, said = answer("POST", PATH, json.dumps(GOOD).encode())
    assert (status, said) == (503, {"detail": "try again later"})
    assert "the database does not answer" in caplog.text
    assert PATH.rpartition("/")[2] not in caplog.text


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc", "/"])
def test_there_is_nothing_else_to_see(path: str) -> None:
    assert answer("GET", path)[0] == 404
