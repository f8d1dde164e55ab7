"""WAV files of takes, through the gateways to Suno: what a release master is made from, never the mp3.

A conversion is a job of its own. There is one for each take, for good: a second request is answered with 409, so asking
again after a lost answer begins nothing new. Its id, however, comes only in the first answer and in the callback.
Sources: docs.sunoapi.org, "Convert to WAV Format", "Get WAV Conversion Details"; docs.kie.ai has the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from muzikantas.clients.http import call
from muzikantas.clients.suno import SunoGenerator, bearer, envelope_of
from muzikantas.clients.suno_answers import first_of, number
from muzikantas.domain.errors import Refused, UnknownOutcome

FAILURES = {"CREATE_TASK_FAILED", "GENERATE_WAV_FAILED"}
EXISTS = 409


class AlreadyRequested(Refused):
    """There is a WAV of this take, or one is being made: look with the id of the first request."""


@dataclass(frozen=True, kw_only=True)
class WavState:
    """How a conversion is going: `url` and `failure` are None while it is. The file is kept for about two weeks."""

    url: str | None = None
    failure: str | None = None


class SunoMasters(SunoGenerator):
    """A gateway that is also asked for WAV files. One attempt a call, and never a sleep."""

    def request_wav(self, task_id: str, audio_id: str, *, key: str, callback_url: str | None) -> str:
        """Ask for the WAV of one take of a made job; give the id of the conversion.

        Raises
        ------
        AlreadyRequested
            It was asked for before, perhaps by a request whose answer was lost.
        TransientError, OutOfCredits, Unauthorized, Refused
            Nothing was begun.
        UnknownOutcome
            Nobody knows; asking again does no harm.
        """
        what = f"WAV of {audio_id}"
        body = {
            "taskId": task_id,
            "audioId": audio_id,
            "callBackUrl": callback_url or f"{self.dialect.sentinel_callback}wav-{audio_id}",
        }
        answer = call("POST", f"{self.base_url}/api/v1/wav/generate", json=body, headers=bearer(key))
        envelope = envelope_of(answer)
        if EXISTS in (number(envelope.get("code")), answer.status):
            raise AlreadyRequested(f"{what}: code {EXISTS} ({envelope.get('msg')}): it was asked for before")
        if problem := self._problem(envelope, answer, what):
            raise problem
        data = envelope.get("data")
        wav_id = first_of(data, "taskId", "task_id") if isinstance(data, Mapping) else None
        if not wav_id:
            raise UnknownOutcome(f"{what}: HTTP {answer.status} without a taskId: {answer.body[:80]!r}")
        return str(wav_id)

    def look_wav(self, wav_id: str, *, key: str) -> WavState:
        """Ask how a conversion is going. Raises `TransientError` or `Unauthorized`, as `look` does."""
        return wav_state(self._record("/api/v1/wav/record-info", wav_id, key, f"look at WAV {wav_id}"))


def wav_state(data: Mapping[str, object]) -> WavState:
    """Read a conversion's record.

    A callback of theirs that failed (`CALLBACK_EXCEPTION`) says nothing of the file, which may be there.
    """
    flag = str(first_of(data, "successFlag", "status") or "").upper()
    if flag in FAILURES:
        return WavState(failure=f"{flag}: {first_of(data, 'errorMessage', 'error_message') or 'no reason given'}")
    response = data.get("response")
    url = first_of(response, "audioWavUrl", "audio_wav_url") if isinstance(response, Mapping) else None
    if flag in {"SUCCESS", "CALLBACK_EXCEPTION"} and isinstance(url, str):
        return WavState(url=url)
    return WavState()
