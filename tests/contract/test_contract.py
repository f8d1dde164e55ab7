"""What every music provider does, as the loop relies on it. Each test runs once a provider; one request is paid for."""

import time

import pytest

from muzikantas.clients.downloads import download, suffix_of
from muzikantas.clients.suno_answers import read_callback, verify_signature
from muzikantas.domain.errors import Refused, TransientError, Unauthorized
from tests.contract.conftest import Paid, Target, brief, followed
from tests.contract.server import Answer, Received, Server

#: The paid request waits for the music, minutes of it where it is real.
pytestmark = pytest.mark.timeout(1200)


def test_a_paid_request_yields_its_takes_of_audio(target: Target, paid: Paid) -> None:
    if paid.state is None:
        sounds = list(paid.submitted.audio)
    else:
        assert paid.state.failure is None
        assert paid.state.takes is not None
        sounds = [download(take.url)[0] for take in paid.state.takes]

    assert len(sounds) == target.generator.facts.takes == len(set(sounds))
    assert {suffix_of(sound, "the take") for sound in sounds} <= {".mp3", ".wav"}
    assert paid.submitted.task_id


def test_a_paid_request_is_paid_from_the_balance(target: Target, paid: Paid) -> None:
    if not target.generator.facts.has_balance:
        assert paid.before is paid.after is None
        return
    assert paid.before is not None
    assert paid.after is not None
    assert paid.before > paid.after


def test_a_finished_job_can_be_looked_at_again_and_is_the_same(target: Target, paid: Paid) -> None:
    again = target.generator.look(paid.submitted.task_id, key=target.key)

    if target.generator.facts.synchronous:
        assert again.failure is not None  # the answer held the only copy
    else:
        assert again == paid.state


def test_a_key_of_nobody_is_unauthorized_and_not_refused(target: Target) -> None:
    with pytest.raises(Unauthorized):
        target.generator.credits_left(key="nobody")
    with pytest.raises(Unauthorized):
        target.generator.submit(brief(target), key="nobody", reference="contract", callback_url=None)


def test_a_model_that_nobody_has_is_refused_and_costs_nothing(target: Target, paid: Paid) -> None:
    with pytest.raises(Refused):
        target.generator.submit(
            brief(target, model="no-such-model"), key=target.key, reference="contract", callback_url=None
        )

    assert target.generator.credits_left(key=target.key) == paid.after


def test_a_job_that_is_not_on_record_may_still_come(target: Target) -> None:
    if target.generator.facts.synchronous:
        assert target.generator.look("nothing", key=target.key).failure is not None
        return
    with pytest.raises(TransientError):
        target.generator.look("nothing", key=target.key)


def test_callbacks_tell_what_a_look_confirms(request: pytest.FixtureRequest, target: Target) -> None:
    if request.config.getoption("--live") or target.generator.facts.synchronous:
        pytest.skip("nobody calls this test back: a live provider cannot reach it, a synchronous one has no need to")
    with Server(Answer()) as phone:
        address = f"{phone.url}/callbacks/secret"
        submitted = target.generator.submit(brief(target), key=target.key, reference="contract", callback_url=address)
        state = followed(target, submitted.task_id)
        deadline = time.monotonic() + target.patience_s
        while len(phone.received) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)

    news = [read_callback(call.body) for call in phone.received]
    assert {(each.task_id, each.failure) for each in news} == {(submitted.task_id, None)}
    assert [each.kind for each in news] == ["text", "first", "complete"]
    assert news[-1].takes == state.takes
    assert {call.path for call in phone.received} == {"/callbacks/secret"}
    if target.generator.facts.name == "kie":
        assert all(signed(call, submitted.task_id, "sandbox-webhook-key") for call in phone.received)
        assert not any(signed(call, submitted.task_id, "another") for call in phone.received)


def signed(call: Received, task_id: str, secret: str) -> bool:
    headers = {name.lower(): value for name, value in call.headers.items()}
    return verify_signature(
        task_id=task_id,
        timestamp=headers["x-webhook-timestamp"],
        signature=headers["x-webhook-signature"],
        secret=secret,
        now_s=time.time(),
    )
