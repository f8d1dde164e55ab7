"""HTTP as the clients need it: one attempt, no redirects, a total deadline, errors sorted by what may have happened."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from urllib3.exceptions import NameResolutionError, NewConnectionError

from muzikantas.domain.errors import Incomplete, TransientError, UnknownOutcome

#: Loopback answers in microseconds and a far server in a few hundred ms: after this it is not there.
CONNECT_S = 5.0
#: Longest silence within an answer; the gateways answer a submit in one to three seconds.
READ_S = 30.0
#: Longest whole answer, looked at whenever a piece arrives: connecting, this and one silence make the longest call.
#: `submit_deadline` in the ledger is longer than that.
TOTAL_S = 45.0
#: Daily quotas are the longest that the provider knows; a longer `Retry-After` would shut the account for a slip.
LONGEST_WAIT_S = 86_400.0
#: OpenSSL's words for what can only fail before anything is sent.
HANDSHAKE_SIGNS = ("CERTIFICATE_VERIFY_FAILED", "HANDSHAKE_FAILURE", "WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL")
#: No JSON answer that we ask for is larger.
JSON_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers and body of an answer that came in whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 (whatever the provider sent)
        """Parse the body. Raises `Incomplete` when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Incomplete(f"HTTP {self.status} with a body that is no JSON: {self.body[:80]!r}") from None

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the server asks to wait from now on, where it says so."""
        return asked_wait_s(self.headers, datetime.now(UTC))


def call(
    method: str,
    url: str,
    *,
    limit: int = JSON_BYTES,
    read_s: float = READ_S,
    total_s: float = TOTAL_S,
    **options: Any,  # noqa: ANN401 (options of requests)
) -> Answer:
    """Make one request on a fresh connection and read the whole answer.

    Parameters
    ----------
    limit
        Bytes of the longest answer.
    read_s
        Longest silence. A provider that answers when the work is done is silent for all of it.
    total_s
        Longest whole answer.

    Raises
    ------
    TransientError
        The request never left: no such host, connection refused, TLS failed.
    UnknownOutcome
        It may have left; no whole answer came back. A caller for whom the call is free makes it transient.
    """
    started = time.monotonic()
    try:
        with requests.request(
            method, url, timeout=(CONNECT_S, read_s), allow_redirects=False, stream=True, **options
        ) as response:
            body = bytearray()
            # `iter_content` waits until a piece is full, and a server that drips keeps it waiting past any deadline.
            while chunk := response.raw.read1(64 * 1024, decode_content=True):
                body += chunk
                if len(body) > limit:
                    raise UnknownOutcome(f"{method} {url}: the answer is longer than {limit} bytes")
                if time.monotonic() - started > total_s:
                    raise UnknownOutcome(f"{method} {url}: no whole answer in {total_s:.0f} s")
            return Answer(status=response.status_code, headers=response.headers, body=bytes(body))
    except requests.exceptions.ConnectTimeout as error:
        raise TransientError(f"{method} {url}: cannot connect ({type(error).__name__})") from error
    except requests.exceptions.SSLError as error:
        if _never_agreed(error):
            raise TransientError(f"{method} {url}: cannot connect, TLS failed: {error}") from error
        raise UnknownOutcome(f"{method} {url}: TLS broke, perhaps after the request was sent") from error
    except requests.exceptions.ConnectionError as error:
        if _never_left(error):
            raise TransientError(f"{method} {url}: cannot connect") from error
        raise UnknownOutcome(f"{method} {url}: the connection broke before an answer came") from error
    except (
        requests.exceptions.Timeout,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise UnknownOutcome(f"{method} {url}: no whole answer ({type(error).__name__})") from error


def call_free(method: str, url: str, **options: Any) -> Answer:  # noqa: ANN401 (options of requests)
    """Make one request that may be made again: an unknown end is only a passing failure."""
    try:
        return call(method, url, **options)
    except UnknownOutcome as error:
        raise TransientError(str(error)) from error


def _never_left(error: requests.exceptions.ConnectionError) -> bool:
    """Tell whether the connection was never made."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | NameResolutionError)


def _never_agreed(error: requests.exceptions.SSLError) -> bool:
    """Tell whether TLS failed while connecting: the same class stands for a connection cut while an answer is read."""
    return any(sign in str(error) for sign in HANDSHAKE_SIGNS)


def asked_wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a server asks to wait; None when it does not say so, or asks for a time that is over.

    Source: RFC 9110, section 10.2.3; `retry-after-ms`, finer and first, is OpenAI's own.

    >>> noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    >>> asked_wait_s({"retry-after-ms": "1500", "retry-after": "2"}, noon), asked_wait_s({"retry-after": "200"}, noon)
    (1.5, 200.0)
    >>> asked_wait_s({"retry-after": "Sat, 31 Jan 2026 12:00:30 GMT"}, noon)
    30.0
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(ValueError):
            return _believed(float(headers.get(name, "")) * unit_s)
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, OverflowError):
        return None
    return _believed((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _believed(seconds: float) -> float | None:
    """Give a wait within reason, None for one that is none (also for a NaN)."""
    return min(seconds, LONGEST_WAIT_S) if seconds > 0 else None
