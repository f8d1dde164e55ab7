"""How spotipy reaches Spotify here: one attempt a call with a total deadline, and one token for all workers."""

import time
from collections.abc import Callable
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict
from spotipy.cache_handler import MemoryCacheHandler  # type: ignore[import-untyped] # publishes no types
from spotipy.oauth2 import SpotifyClientCredentials  # type: ignore[import-untyped] # as above

from muzikantas.clients.cache import SharedCache
from muzikantas.clients.http import Answer, call_free
from muzikantas.clients.spotify_failures import of_token
from muzikantas.domain.errors import Incomplete, MuzikantasError

#: Look-ups answer in tenths of a second: after this nothing will come.
READ_S, TOTAL_S = 10.0, 15.0
#: A token ends this long before its time, so that none expires on the way.
MARGIN_S = 60.0
#: A token that was given so lately and is refused all the same will not be helped by another one.
FRESH_S = 30.0


class Session(requests.Session):
    """Makes spotipy's calls through `http.call`, and raises every failure as ours.

    Spotipy's own session sleeps for the whole `Retry-After`, a day if need be, and loses it. On this one neither its
    retries nor its reading of failures come into play: no answer that failed gets as far.
    """

    def __init__(self, failure: Callable[[Answer], MuzikantasError]) -> None:
        super().__init__()
        self._failure = failure

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401 (spotipy names all options)
        """Make one call and give its answer; without redirects, for the key goes along."""
        options = {name: options[name] for name in ("headers", "params", "data") if name in options}
        answer = call_free(method, url, read_s=READ_S, total_s=TOTAL_S, **options)
        if not 200 <= answer.status < 300:
            raise self._failure(answer)
        answer.json()  # spotipy takes an answer that is no JSON for an empty one
        response = requests.Response()
        response.status_code, response.url, response.encoding = answer.status, url, "utf-8"
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.body  # there is no public way to make a response
        return response


class SharedToken:
    """The app's token (client credentials): one for all workers, fetched by one of them; spotipy's `auth_manager`."""

    def __init__(self, client_id: str, client_secret: str, url: str, cache: SharedCache, key: str) -> None:
        self._credentials = SpotifyClientCredentials(
            client_id, client_secret, requests_session=Session(of_token), cache_handler=MemoryCacheHandler()
        )
        self._credentials.OAUTH_TOKEN_URL = url
        self._cache, self._key = cache, key
        self._given_at: float | None = None  #: when the token that was used last had been given

    def get_access_token(self, as_dict: bool = False) -> str:  # noqa: FBT001, FBT002, ARG002 (spotipy's signature)
        """Give the token, fetched when there is none."""
        token = self._cache.once(self._key, self._fetch, lambda token: float(token["lasts_s"]) - MARGIN_S)
        self._given_at = float(token["given_at"])
        return str(token["token"])

    def forget(self) -> bool:
        """Forget a token that was refused; True when it was not given just now, so that another one may do."""
        self._cache.drop(self._key)
        return self._given_at is None or time.time() - self._given_at > FRESH_S

    def _fetch(self) -> dict[str, Any]:
        try:
            word = self._credentials.get_access_token(as_dict=False, check_cache=False)
            lasts_s = self._credentials.cache_handler.get_cached_token()["expires_in"]
            return {"token": str(word), "lasts_s": float(lasts_s), "given_at": time.time()}
        except (KeyError, TypeError, ValueError) as error:
            raise Incomplete(f"Spotify's token lacks access_token or expires_in ({error!r})") from None
