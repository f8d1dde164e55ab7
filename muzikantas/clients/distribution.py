"""The distributor: delivers releases and reports how they did, where one with an interface is configured."""

from datetime import date

from muzikantas.clients.http import Answer, call_free
from muzikantas.domain.errors import Incomplete, Refused, TransientError, Unauthorized


class DistributionClient:
    """Speaks to one distributor. Both calls may be made again: deliveries are known by our reference."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}

    def publish(self, *, reference: str, audio_id: str, title: str, artist: str) -> date:
        """Deliver a release; give the day on which it is out. The same reference again is the same release."""
        body = {"reference": reference, "audio_id": audio_id, "title": title, "artist": artist}
        answer = call_free("POST", f"{self.base_url}/distribution/releases", json=body, headers=self._headers)
        reply = _checked(answer, f"release {reference}").json()
        try:
            return date.fromisoformat(reply["released_on"])
        except (KeyError, TypeError, ValueError):
            raise Incomplete(f"release {reference}: the answer has no day in released_on") from None

    def report(self, since: date) -> str:
        """Fetch the streams report from `since` on, as CSV (its form: `docs/howto/streams.md`)."""
        answer = call_free(
            "GET",
            f"{self.base_url}/distribution/streams",
            params={"since": since.isoformat()},
            headers=self._headers,
            limit=256 * 1024 * 1024,
        )
        return _checked(answer, "streams report").body.decode("utf-8-sig")


def _checked(answer: Answer, what: str) -> Answer:
    """Sort an answer that is no success into our errors."""
    if answer.status < 300:
        return answer
    text = f"{what}: HTTP {answer.status} {answer.body[:120]!r}"
    if answer.status in {401, 403}:
        raise Unauthorized(text)
    if answer.status == 429 or answer.status >= 500:
        raise TransientError(text, retry_after_s=answer.retry_after_s)
    raise Refused(text)
