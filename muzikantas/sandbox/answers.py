"""Answers that all stand-ins share: keys, broken connections, plain HTTP faults, and the log line of a request."""

import asyncio
import ipaddress
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muzikantas.sandbox.config import KEY_PREFIX
from muzikantas.sandbox.deeds import Deed

#: What the language model's errors are called where the fault script says nothing.
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}

_ABORT, _NOTE = "sandbox.abort", "sandbox.note"


def account(request: Request) -> str | None:
    """Give the bearer key when it is a good one; every good key is an account of its own."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" and key.startswith(KEY_PREFIX) else None


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def note(request: Request, **facts: object) -> None:
    """Add facts to the log line of this request."""
    request.scope[_NOTE].update(facts)


async def json_body(request: Request) -> dict[str, Any] | None:
    """Read a JSON object, or None when the body is none."""
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


class Dropped(Response):
    """No answer at all: the connection is closed without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the transport and let the server notice before it would answer in our place."""
        del receive, send
        scope[_ABORT]()
        await asyncio.sleep(0.01)


def broken(deed: Deed) -> Response | None:
    """Give the answer of a deed that concerns HTTP itself, or None when the call goes on."""
    status = deed.get("http", deed.get("status"))
    if deed.get("drop"):
        return Dropped()
    return failed(status, deed) if isinstance(status, int) else None


def unanswered(deed: Deed) -> Response | None:
    """Give the answer to a request that was accepted, and whose client shall not hear of it; None: it shall."""
    if deed.get("accept_then_drop"):
        return Dropped()
    return failed(deed["accept_then_http"], deed) if "accept_then_http" in deed else None


def failed(status: int, deed: Deed) -> Response:
    """Give a plain HTTP failure, in the language model's words; other clients read the status alone."""
    headers = {"retry-after": str(deed["retry_after"])} if "retry_after" in deed else {}
    code = deed.get("error_code") or _CODES.get(status, "server_error" if status >= 500 else "invalid_value")
    kinds = {"insufficient_quota": code, "server_error": code, "rate_limit_exceeded": "requests"}
    kind = kinds.get(code, "invalid_request_error")
    error = {"message": f"The sandbox was told to answer {status}.", "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


def web_page() -> Response:
    """Give a page of HTML where something else was expected, as a proxy in trouble does."""
    return HTMLResponse("<!doctype html><title>Just a moment...</title><p>Checking your browser.</p>")


async def late(deed: Deed) -> None:
    """Hold back an answer for as long as the deed says."""
    await asyncio.sleep(float(deed.get("delay_s", 0)))


class RequestLog:
    """Outermost layer: one JSON line a request on stderr, and the handle to close a connection unanswered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: list[int] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        scope[_NOTE], scope[_ABORT] = {}, _abort(send)
        started = time.monotonic()
        try:
            await self._app(scope, receive, watched)
        finally:
            line = {
                "at": round(time.time(), 3),
                "method": scope["method"],
                "path": scope["path"],
                "http": status[0] if status else None,
                "ms": round(1000 * (time.monotonic() - started), 1),
                **scope[_NOTE],
            }
            sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")


def _abort(send: Send) -> Callable[[], None]:
    """Find the transport behind uvicorn's `send`, a bound method of its request cycle; ASGI itself has no such word."""
    abort: Callable[[], None] = send.__self__.transport.abort  # type: ignore[attr-defined] # uvicorn's, see above
    return abort
