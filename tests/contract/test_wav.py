"""The WAV of a take, at every gateway: once, looked up, downloaded, and the answers to asking sorted."""

import time

import pytest

from muzikantas.clients.downloads import download
from muzikantas.clients.suno import SunoGenerator
from muzikantas.clients.suno_dialects import SUNOAPI, SUNOAPI_FACTS
from muzikantas.clients.suno_wav import AlreadyRequested, SunoMasters, WavState, wav_state
from muzikantas.domain.errors import (
    MuzikantasError,
    OutOfCredits,
    Refused,
    TransientError,
    Unauthorized,
    UnknownOutcome,
)
from tests.contract.conftest import Paid, Target, brief, followed, until
from tests.contract.server import Answer, Server
from tests.contract.test_answers import coded
from tests.contract.test_contract import signed

pytestmark = pytest.mark.timeout(1200)


def masters(target: Target) -> SunoMasters:
    made = target.generator
    if not isinstance(made, SunoGenerator):
        pytest.skip(f"{made.facts.name} has no WAV of what it made")
    return SunoMasters(made.base_url, made.dialect, made.facts)


def take_of(state: object) -> str:
    takes = getattr(state, "takes", None)
    assert takes
    return str(takes[0].provider_id)


def test_a_take_becomes_a_wav_once(target: Target, paid: Paid) -> None:
    gateway, take = masters(target), take_of(paid.state)

    wav_id = gateway.request_wav(paid.submitted.task_id, take, key=target.key, callback_url=None)
    with pytest.raises(AlreadyRequested, match="409"):
        gateway.request_wav(paid.submitted.task_id, take, key=target.key, callback_url=None)
    state = until(target, lambda: ended(gateway.look_wav(wav_id, key=target.key)), f"the WAV {wav_id}")

    assert state.failure is None
    assert download(state.url)[1] == ".wav"
    assert gateway.look_wav(wav_id, key=target.key) == state


def ended(state: WavState) -> WavState | None:
    return state if state.url or state.failure else None


def test_a_key_of_nobody_gets_no_wav(target: Target, paid: Paid) -> None:
    gateway, take = masters(target), take_of(paid.state)

    with pytest.raises(Unauthorized):
        gateway.request_wav(paid.submitted.task_id, take, key="nobody", callback_url=None)
    with pytest.raises(Unauthorized):
        gateway.look_wav("nothing", key="nobody")
    with pytest.raises(TransientError):
        gateway.look_wav("nothing", key=target.key)


def test_the_one_callback_names_the_file(request: pytest.FixtureRequest, target: Target) -> None:
    gateway = masters(target)
    if request.config.getoption("--live"):
        pytest.skip("nobody calls this test back: a live provider cannot reach it")
    task_id = gateway.submit(brief(target), key=target.key, reference="wav", callback_url=None).task_id
    take = take_of(followed(target, task_id))
    with Server(Answer()) as phone:
        wav_id = gateway.request_wav(task_id, take, key=target.key, callback_url=f"{phone.url}/wav/secret")
        state = until(target, lambda: ended(gateway.look_wav(wav_id, key=target.key)), f"the WAV {wav_id}")
        deadline = time.monotonic() + target.patience_s
        while not phone.received and time.monotonic() < deadline:
            time.sleep(0.05)

    [call] = phone.received
    assert call.body == {"code": 200, "msg": "success", "data": {"audioWavUrl": state.url, "task_id": wav_id}}
    if gateway.facts.name == "kie":
        assert signed(call, wav_id, "sandbox-webhook-key")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (coded(409), AlreadyRequested),
        (coded(409, 409), AlreadyRequested),
        (Answer(status=409, body=b""), AlreadyRequested),
        (coded(430), TransientError),
        (coded(429), OutOfCredits),
        (coded(401), Unauthorized),
        (coded(400), Refused),
        (coded(500), UnknownOutcome),
        (coded(200), UnknownOutcome),  # success without a task
        (Answer(drop=True), UnknownOutcome),
    ],
)
def test_an_answer_to_the_request_is_sorted(answer: Answer, kind: type[MuzikantasError]) -> None:
    with Server(answer) as server, pytest.raises(MuzikantasError) as caught:
        SunoMasters(server.url, SUNOAPI, SUNOAPI_FACTS).request_wav("t", "a", key="planted", callback_url=None)

    assert type(caught.value) is kind
    assert "planted" not in str(caught.value)
    [sent] = server.received
    assert sent.path == "/api/v1/wav/generate"
    assert sent.body == {"taskId": "t", "audioId": "a", "callBackUrl": "https://callback.invalid/wav-a"}


@pytest.mark.parametrize(
    ("flag", "url", "state"),
    [
        ("PENDING", None, WavState()),
        ("SUCCESS", "https://files.example/a.wav", WavState(url="https://files.example/a.wav")),
        ("SUCCESS", None, WavState()),  # made, and its address not written yet
        ("CALLBACK_EXCEPTION", "https://files.example/a.wav", WavState(url="https://files.example/a.wav")),
        ("CALLBACK_EXCEPTION", None, WavState()),
        ("GENERATE_WAV_FAILED", None, WavState(failure="GENERATE_WAV_FAILED: as told")),
        ("CREATE_TASK_FAILED", None, WavState(failure="CREATE_TASK_FAILED: as told")),
    ],
)
def test_a_record_is_read_by_its_flag(flag: str, url: str | None, state: WavState) -> None:
    record = {"taskId": "w", "successFlag": flag, "response": url and {"audioWavUrl": url}, "errorMessage": "as told"}

    assert wav_state(record) == state
