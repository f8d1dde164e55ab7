"""What Spotify's refusals mean: who may ask again, and when.

Sources: developer.spotify.com, "API calls" (status codes), "Rate limits", "Quota modes", the blog of 27 November 2024
and 23 July 2026; answers of applications in Development Mode as their owners have shown them.
"""

import json
from typing import Any

from muzikantas.clients.http import Answer
from muzikantas.domain.errors import (
    MuzikantasError,
    PermanentError,
    Refused,
    TransientError,
    Unauthorized,
)

#: What a refusal is about: one endpoint, the key, or the app with all that it may ask.
TOKEN, APP = "token", "app"
#: A subscription counts a few hours after it was paid, by Spotify's own words.
PREMIUM_S = 3 * 3600.0
#: Endpoints come back never or with a word in the news; once a day is asked whether this one has.
GONE_S = 86_400.0
#: A wrong secret stays wrong until somebody changes it, and a changed one has notes of its own.
KEY_S = 3600.0
#: The window of the rate limit, where the answer does not say how long to wait.
WINDOW_S = 30.0
#: How long a quota takes is not published: one question an hour finds the end of it.
QUOTA_S = 3600.0
#: In these words an endpoint that is there says that an id is not; one that is gone says nothing, or other words.
NO_SUCH_ID = ("resource not found", "non existing id", "not found.")


class Gone(PermanentError):
    """Refused for good, or for long. `about` is None for the endpoint that was asked."""

    def __init__(self, message: str, about: str | None, keep_s: float, *, unauthorized: bool = False) -> None:
        super().__init__(message)
        self.about, self.keep_s, self.unauthorized = about, keep_s, unauthorized

    def as_error(self) -> PermanentError:
        """Give it as one of the errors that callers know."""
        return Unauthorized(str(self)) if self.unauthorized else Refused(str(self))


class NoSuchId(PermanentError):
    """The endpoint is there, and nothing of this id."""


class StaleToken(TransientError):
    """The token that was sent is not good any more."""


def of_look_up(answer: Answer) -> MuzikantasError:
    """Sort the answer to a look-up that is none."""
    said, reason = _words(answer)
    text = f"Spotify: HTTP {answer.status} {said}".rstrip()
    if passing := _passing(answer, text, reason):
        return passing
    if answer.status == 401:
        return StaleToken(text)
    if answer.status == 403 and "premium" in said.lower():
        return Gone(f"{text}; the owner of the app needs Premium", APP, PREMIUM_S)
    if answer.status == 404 and said.lower() in NO_SUCH_ID:
        return NoSuchId(text)
    if answer.status in {403, 404, 410}:
        return Gone(f"{text}; the app may not ask this (any more)", None, GONE_S)
    return Refused(text)


def of_token(answer: Answer) -> MuzikantasError:
    """Sort the answer to a request for a token that is none."""
    said, reason = _words(answer)
    text = f"Spotify gives no token: HTTP {answer.status} {said}".rstrip()
    if passing := _passing(answer, text, reason):
        return passing
    if "premium" in said.lower():
        return Gone(f"{text}; the owner of the app needs Premium", APP, PREMIUM_S)
    return Gone(f"{text}; check SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET", TOKEN, KEY_S, unauthorized=True)


def _passing(answer: Answer, text: str, reason: str) -> TransientError | None:
    """Give the error of a refusal that passes by itself."""
    asked_s = answer.retry_after_s
    if answer.status == 429 and reason == "QUOTA_EXCEEDED":
        return TransientError(f"{text} (quota exceeded)", retry_after_s=asked_s or QUOTA_S)
    if answer.status == 429:
        return TransientError(text, retry_after_s=asked_s or WINDOW_S)
    if answer.status == 408 or answer.status >= 500:
        return TransientError(text, retry_after_s=asked_s)
    return None


def _words(answer: Answer) -> tuple[str, str]:
    """Find the message and the reason of an answer, in any of the forms that were seen.

    >>> _words(Answer(status=403, headers={}, body=b'{"error": {"status": 403}}'))
    ('', '')
    >>> _words(Answer(status=400, headers={}, body=b'{"error": "invalid_client", "error_description": "Bad secret"}'))
    ('invalid_client: Bad secret', '')
    >>> _words(Answer(status=429, headers={}, body=b'Too many requests'))
    ('Too many requests', '')
    """
    try:
        body: Any = json.loads(answer.body)
    except ValueError:
        return answer.body[:200].decode("utf-8", "replace").strip(), ""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return str(error.get("message") or ""), str(error.get("reason") or "")
    description = body.get("error_description") if isinstance(body, dict) else None
    return ": ".join(str(word) for word in (error, description) if word), ""
