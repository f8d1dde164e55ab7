"""Spotify's Web API as it is for an app in Development Mode since March 2026: single look-ups and a search of ten.

Everything else an app of this kind is refused: batch forms, audio features, recommendations, top tracks, new releases.
Sources: developer.spotify.com, "Web API", its migration guide of February 2026 and its changes of March to July 2026.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis
import spotipy  # type: ignore[import-untyped] # publishes no types

from muzikantas.clients.cache import SharedCache
from muzikantas.clients.refusals import Refusals
from muzikantas.clients.spotify_failures import APP, KEY_S, TOKEN, Gone, NoSuchId, StaleToken, of_look_up
from muzikantas.clients.spotify_session import Session, SharedToken
from muzikantas.domain.errors import Incomplete, InputError, PermanentError, Unauthorized

BASE_URL, TOKEN_URL = "https://api.spotify.com/v1/", "https://accounts.spotify.com/api/token"
#: Longest fetch of a look-up that holds all others who ask for the same: a token, the answer, and the way to both.
BUSY_S = 60.0
#: Since February 2026 more than this is an error of the caller's.
SEARCH_LIMIT = 10
#: Answers are kept so long: catalogues change slowly, and the terms forbid to keep their content for good.
KEEP_S = 86_400.0
KINDS = ("artist", "track", "album")

#: Endpoint → how spotipy is asked. There are no others: what is not in the table cannot be asked.
ENDPOINTS: Mapping[str, Callable[[spotipy.Spotify, "Question"], Any]] = {
    "search": lambda api, question: api.search(question.about, limit=question.limit, type=question.kind),
    "artist": lambda api, question: api.artist(question.about),
    "artist-albums": lambda api, question: api.artist_albums(question.about),
    "track": lambda api, question: api.track(question.about),
    "album": lambda api, question: api.album(question.about),
    "album-tracks": lambda api, question: api.album_tracks(question.about),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One look-up: an id (a Spotify id, URI or link), or what to search for.

    Raises `InputError` when there is no such endpoint, or when Spotify would refuse the search.
    """

    endpoint: str
    about: str
    kind: str = "artist"  #: what a search is for
    limit: int = SEARCH_LIMIT

    def __post_init__(self) -> None:
        if self.endpoint not in ENDPOINTS:
            raise InputError(f"Spotify gives no {self.endpoint!r} to an app like this; it gives {', '.join(ENDPOINTS)}")
        if not self.about.strip():
            raise InputError(f"a look-up at Spotify ({self.endpoint}) needs an id or a text, found {self.about!r}")
        if self.kind not in KINDS or not 1 <= self.limit <= SEARCH_LIMIT:
            raise InputError(
                f"a search at Spotify is for one of {', '.join(KINDS)} and gives 1 to {SEARCH_LIMIT}; "
                f"found {self.kind!r} and {self.limit}"
            )

    @property
    def key(self) -> str:
        """What tells this question from others in the cache, whatever its text."""
        words = (self.endpoint, self.about, *((self.kind, str(self.limit)) if self.endpoint == "search" else ()))
        return f"{self.endpoint}:{hashlib.sha256(chr(31).join(words).encode()).hexdigest()[:32]}"


class SpotifyClient:
    """Asks Spotify once: no retries and no sleeping here; token, answers and refusals are shared by all workers.

    Parameters
    ----------
    connection
        The Redis that all workers share.
    client_id, client_secret
        Those of the operator's app; its owner needs Premium.
    base_url, token_url
        Another server that speaks the same, instead of Spotify.
    """

    def __init__(
        self,
        connection: redis.Redis,
        client_id: str,
        client_secret: str,
        *,
        base_url: str = BASE_URL,
        token_url: str = TOKEN_URL,
    ) -> None:
        if not client_id or not client_secret:
            raise Unauthorized("Spotify needs SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET; found an empty one")
        # At DEBUG spotipy logs its headers, and they carry the secret.
        logging.getLogger("spotipy").setLevel(logging.CRITICAL)
        whose = hashlib.sha256(f"{client_id}:{client_secret}".encode()).hexdigest()[:12]
        self.refusals = Refusals(connection, "spotify", whose)
        self._answers = SharedCache(connection, "spotify", busy_s=BUSY_S)
        self._token = SharedToken(client_id, client_secret, token_url, self._answers, f"token:{whose}")
        self._api = spotipy.Spotify(auth_manager=self._token, requests_session=Session(of_look_up))
        self._api.prefix = base_url.rstrip("/") + "/"

    def once(self, question: Question, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 (Spotify's JSON)
        """Give the answer kept since less than a day; else `ask` for it, while all others wait for it.

        Raises `Wait` when another worker is asking, and what was refused before without asking.
        """
        return self._answers.once(question.key, lambda: self._unless_refused(question, ask), lambda _: KEEP_S)

    def ask(self, question: Question) -> Any:  # noqa: ANN401 (Spotify's JSON; `spotify_answers.py` reads it)
        """Ask Spotify now; None when there is nothing of that id.

        Raises
        ------
        TransientError
            Too fast, out of quota, not to be reached, or failing; `retry_after_s` is what it asked for.
        Unauthorized, Refused
            The app, its key or this endpoint is refused: written down, so that nobody asks again for a while.
        InputError
            An id that is none, before anything is sent.
        Incomplete
            An answer that is no JSON object.
        """
        try:
            answer = ENDPOINTS[question.endpoint](self._api, question)
        except spotipy.SpotifyException as error:
            # The session turns every answer of the server's into our errors: what is left is a check of spotipy's own.
            raise InputError(f"{question.about!r} is no {question.endpoint} at Spotify: {error.msg}") from error
        except NoSuchId:
            return None
        except StaleToken as error:
            if self._token.forget():
                raise
            gone = Gone(f"{error}; its token had just been given", TOKEN, KEY_S, unauthorized=True)
            raise self._noted(gone, question) from error
        except Gone as error:
            raise self._noted(error, question) from error
        if not isinstance(answer, dict):
            raise Incomplete(f"Spotify's {question.endpoint} is {type(answer).__name__}; expected a JSON object")
        return answer

    def _unless_refused(self, question: Question, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 (as `ask` gives)
        self.refusals.check(APP, TOKEN, question.endpoint)
        return ask()

    def _noted(self, gone: Gone, question: Question) -> PermanentError:
        """Write a refusal down for all workers; give it as one of our errors."""
        return self.refusals.note(gone.about or question.endpoint, gone.as_error(), keep_s=gone.keep_s)
