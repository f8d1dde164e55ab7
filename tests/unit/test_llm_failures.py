"""What becomes of a language model's failures: what to do about each, and how long the server asks to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.clients.http import LONGEST_WAIT_S, asked_wait_s
from muzikantas.clients.llm import failure
from muzikantas.domain.errors import MuzikantasError, OutOfCredits, Refused, TransientError, Unauthorized

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def failed(status: int, code: str = "", kind: str = "requests", **headers: str) -> openai.APIStatusError:
    """Make the error that the package raises for such an answer."""
    sent = httpx2.Request("POST", "http://127.0.0.1:9/v1/responses")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": "said", "type": kind, "param": None, "code": code or None}
    return openai.APIStatusError("said", response=httpx2.Response(status, headers=named, request=sent), body=body)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (failed(429, "rate_limit_exceeded"), TransientError),
        (failed(429, "insufficient_quota"), OutOfCredits),
        (failed(429, kind="insufficient_quota"), OutOfCredits),  # some compatible servers leave the code out
        (failed(429, "insufficient_quota", x_should_retry="true", retry_after="1"), OutOfCredits),
        (failed(429, "rate_limit_exceeded", x_should_retry="false"), TransientError),
        (failed(400, "missing_required_parameter", x_should_retry="true"), Refused),
        (failed(401, "invalid_api_key"), Unauthorized),
        (failed(403), Unauthorized),
        (failed(404, "model_not_found"), Refused),
        (failed(408), TransientError),
        (failed(409), TransientError),
        (failed(500), TransientError),
        (failed(503), TransientError),
    ],
)
def test_a_failure_is_sorted_by_what_to_do_about_it(error: openai.APIStatusError, kind: type[MuzikantasError]) -> None:
    assert type(failure("some-model", error, NOW)) is kind


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_server_asks_for_comes_along(status: int) -> None:
    sorted_out = failure("some-model", failed(status, retry_after="200"), NOW)
    assert isinstance(sorted_out, TransientError)
    assert sorted_out.retry_after_s == 200.0


@given(st.floats(min_value=0.001, max_value=1e12))
def test_seconds_and_milliseconds_mean_the_same_up_to_a_day(seconds: float) -> None:
    believed = pytest.approx(min(seconds, LONGEST_WAIT_S))
    assert asked_wait_s({"retry-after": f"{seconds!r}"}, NOW) == believed
    assert asked_wait_s({"retry-after-ms": f"{seconds * 1000!r}", "retry-after": "7"}, NOW) == believed


@given(st.integers(1, 10**8))
def test_a_date_is_waited_for(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert asked_wait_s({"retry-after": date}, NOW) == min(seconds, LONGEST_WAIT_S)
    past = format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)
    assert asked_wait_s({"retry-after": past}, NOW) is None


@pytest.mark.parametrize("nothing", ["", "soon", "0", "-3", "nan", "-inf", "Sat, 31 Feb 2026 12:00:00 GMT"])
def test_what_is_no_wait_is_none(nothing: str) -> None:
    assert asked_wait_s({"retry-after": nothing}, NOW) is None


@given(st.text())
def test_whatever_stands_in_the_header_is_survived(text: str) -> None:
    wait = asked_wait_s({"retry-after": text}, NOW)
    assert wait is None or 0 < wait <= LONGEST_WAIT_S
