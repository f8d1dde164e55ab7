"""Spotify's Web API for an app in Development Mode since March 2026: a token, single look-ups, a search of ten.

What was taken away answers as it does there: audio features 403 without a word, recommendations 404, batch forms and
new releases 403. Ids are those that a search has given.
"""

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from muzikantas.sandbox import answers, spotify_catalogue
from muzikantas.sandbox.config import KEY_PREFIX, Config
from muzikantas.sandbox.deeds import Deed
from muzikantas.sandbox.faults import Faults
from muzikantas.sandbox.ledger import Ledger

TOKEN_S = 3600  #: how long a token is good
MOST_FOUND = 10  #: of a search since February 2026
#: Every request counts here by endpoint, whatever came of it.
COUNTER = "spotify_requests/"

#: Paths that an app in Development Mode is refused, each with its status.
REMOVED = {
    "/audio-features": 403,
    "/audio-features/{key}": 403,
    "/audio-analysis/{key}": 403,
    "/recommendations": 404,
    "/artists": 403,
    "/albums": 403,
    "/tracks": 403,
    "/artists/{key}/top-tracks": 403,
    "/artists/{key}/related-artists": 404,
    "/browse/new-releases": 403,
    "/browse/categories": 403,
    "/markets": 403,
}

_PREMIUM = (
    "Active premium subscription required for the owner of the app. When the subscription status changes, it can take "
    "a few hours for the change to take effect."
)


class Spotify:
    """`/spotify/api/token` and `/spotify/v1/…`."""

    def __init__(self, config: Config, ledger: Ledger, faults: Faults) -> None:
        self._seed, self._ledger, self._faults = config.seed, ledger, faults

    def routes(self) -> APIRouter:
        """Give the provider's paths."""
        router = APIRouter(prefix="/spotify")
        router.add_api_route("/api/token", self.token, methods=["POST"])
        for path in REMOVED:
            router.add_api_route(f"/v1{path}", self.removed, methods=["GET"])
        router.add_api_route("/v1/search", self.search, methods=["GET"])
        for kind in ("artist", "album", "track"):
            router.add_api_route(f"/v1/{kind}s/{{key}}", self.item, methods=["GET"])
        router.add_api_route("/v1/artists/{key}/albums", self.parts, methods=["GET"])
        for end in ("", "/"):
            router.add_api_route(f"/v1/albums/{{key}}/tracks{end}", self.parts, methods=["GET"])
        return router

    async def token(self, request: Request) -> Response:
        """Give a token to an app whose id and secret both begin as good keys do."""
        deed = await self._deed("token", "")
        if answer := _broken(deed):
            return answer
        client, secret = _basic(request)
        form = parse_qs((await request.body()).decode("ascii", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return JSONResponse({"error": "unsupported_grant_type", "error_description": "grant_type"}, 400)
        if not client.startswith(KEY_PREFIX) or not secret.startswith(KEY_PREFIX):
            return JSONResponse({"error": "invalid_client", "error_description": "Invalid client secret"}, 400)
        until = int(time.time()) + TOKEN_S
        token = {"access_token": f"{client}.{until}", "token_type": "Bearer", "expires_in": TOKEN_S}
        return JSONResponse(_without(token, deed.get("lacking", [])))

    async def search(self, request: Request) -> Response:
        """Find by name; more than ten at a time is an error since February 2026."""
        query = request.query_params
        text, kind, limit = query.get("q", ""), query.get("type", ""), query.get("limit", "5")
        deed, refused = await self._asked(request, "search", text)
        if refused:
            return refused
        if not text or kind not in {"artist", "album", "track"}:
            return _error(400, "No search query" if not text else f"Bad search type field {kind}")
        if not limit.isdigit() or not 1 <= int(limit) <= MOST_FOUND:
            return _error(400, "Invalid limit")
        names = [] if deed.get("nothing") else list(spotify_catalogue.found(kind, text, int(limit)))
        return JSONResponse({f"{kind}s": self._page(kind, names, deed, int(limit))})

    async def item(self, request: Request, key: str) -> Response:
        """Give one artist, album or track."""
        kind = request.url.path.split("/")[-2].removesuffix("s")
        deed, refused = await self._asked(request, kind, key)
        name = self._ledger.fact(f"spotify/{kind}/{key}", "")
        if refused or not name or deed.get("nothing"):
            return refused or _error(404, "Resource not found")
        return JSONResponse(self._item(kind, name, deed))

    async def parts(self, request: Request, key: str) -> Response:
        """List an artist's albums or an album's tracks."""
        kind, part = ("artist", "album") if "/artists/" in request.url.path else ("album", "track")
        deed, refused = await self._asked(request, f"{kind}-{part}s", key)
        name = self._ledger.fact(f"spotify/{kind}/{key}", "")
        if refused or not name or deed.get("nothing"):
            return refused or _error(404, "Resource not found")
        return JSONResponse(self._page(part, spotify_catalogue.parts(kind, name), deed, 20))

    async def removed(self, request: Request) -> Response:
        """Refuse what an app in Development Mode has lost, without a word."""
        _, refused = await self._asked(request, "removed", request.url.path)
        status = REMOVED[request.scope["route"].path.removeprefix("/spotify/v1")]
        return refused or JSONResponse({"error": {"status": status}}, status)

    async def _asked(self, request: Request, endpoint: str, about: str) -> tuple[Deed, Response | None]:
        """Count a look-up; give what the fault script wants of it, and its answer where that is a refusal."""
        deed = await self._deed(endpoint, about)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        client, _, until = token.rpartition(".")
        if answer := _broken(deed):
            return deed, answer
        if not client.startswith(KEY_PREFIX) or not until.isdigit():
            return deed, _error(401, "Invalid access token")
        return deed, None if int(until) > time.time() else _error(401, "The access token expired")

    async def _deed(self, endpoint: str, about: str) -> Deed:
        self._ledger.count(COUNTER + endpoint)
        deed = self._faults.deed("spotify", endpoint, said=about, query=about)
        await answers.late(deed)
        return deed

    def _page(self, kind: str, names: list[str], deed: Deed, limit: int) -> dict[str, Any]:
        items: list[dict[str, Any] | None] = [self._item(kind, name, deed) for name in names]
        # Real pages have holes, where something was taken out of the catalogue.
        items += [None] if deed.get("lacking") else []
        about = {"href": "", "limit": limit, "next": None, "offset": 0, "previous": None, "total": len(items)}
        return about | {"items": items}

    def _item(self, kind: str, name: str, deed: Deed) -> dict[str, Any]:
        self._ledger.set_fact(f"spotify/{kind}/{spotify_catalogue.identity(kind, name)}", name)
        return _without(spotify_catalogue.item(kind, name, seed=self._seed), deed.get("lacking", []))


def _broken(deed: Deed) -> Response | None:
    """Give the answer that the fault script wants, in the provider's form."""
    headers = {"retry-after": str(deed["retry_after"])} if "retry_after" in deed else {}
    if deed.get("html"):
        return answers.web_page()
    if deed.get("drop"):
        return answers.broken({"drop": True})
    status = deed.get("http", deed.get("status"))
    if "error" in deed:
        return _named_error(deed["error"], headers)
    return _error(status, f"The sandbox was told to answer {status}.", headers=headers) if status else None


def _named_error(name: str, headers: Mapping[str, str]) -> Response:
    """Give one of the errors that apps have met; see `deeds.SPOTIFY_ERRORS`."""
    status, message = {
        "too_fast": (429, "API rate limit exceeded"),
        "quota_exceeded": (429, "Too many requests"),
        "premium": (403, _PREMIUM),
        "removed": (403, None),
        "gone": (404, None),
        "expired_token": (401, "The access token expired"),
    }.get(name, (0, None))
    if name == "premium_text":
        return PlainTextResponse(_PREMIUM, 403)
    if name in {"invalid_client", "invalid_request"}:
        return JSONResponse({"error": name, "error_description": "Invalid client"}, 400)
    reason = {"reason": "QUOTA_EXCEEDED"} if name == "quota_exceeded" else {}
    return _error(status, message, headers=headers, **reason)


def _error(status: int, message: str | None, *, headers: Mapping[str, str] | None = None, **more: str) -> Response:
    said = {"message": message} if message else {}
    return JSONResponse({"error": {"status": status, **said, **more}}, status, headers=dict(headers or {}))


def _without(value: dict[str, Any], lacking: list[str]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in lacking}


def _basic(request: Request) -> tuple[str, str]:
    """Read id and secret of an app."""
    _, _, word = request.headers.get("authorization", "").partition(" ")
    try:
        client, _, secret = base64.b64decode(word, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
