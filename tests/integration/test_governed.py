"""Calls of the language model and the distributor go through the governor: they wait, cool down and run dry there."""

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from muzikantas.clients.governor import Governor
from muzikantas.domain.accounts import Account, Condition, Limits
from muzikantas.domain.errors import OutOfCredits, TransientError
from muzikantas.domain.replies import SlotText
from muzikantas.domain.waiting import Wait
from muzikantas.models import artist, budget, cycle, llm, track
from muzikantas.models.cycle import Cycle
from muzikantas.studio import Studio, studio
from muzikantas.tasks import cycles
from muzikantas.tasks.conversation import ask
from muzikantas.tasks.governed import governed
from muzikantas.tasks.performance import fetch_report
from tests.integration.label import Label

ROOMY = Limits(calls=100, window_s=60.0, concurrency=9)
Make = Callable[..., Governor]


@pytest.fixture
def make(label: Label) -> Make:  # noqa: ARG001 (its Redis must run)
    """Makes governors on the label's Redis that no worker of it asks; all of a test's speak for one provider."""
    provider = f"test-{uuid.uuid4().hex}"

    def governor(limits: Limits = ROOMY) -> Governor:
        return Governor(studio().redis, provider, [Account(name="account", limits=limits)], usual_s=0.2)

    return governor


@pytest.fixture
def turn(label: Label) -> Cycle:
    """A cycle to ask for; it has ended, so that no worker asks for it too."""
    artist_id, _ = label.artist(slots=1)
    with studio().begin() as session:
        started = cycles.start(session, artist.get(session, artist_id), studio().settings)
        assert started is not None
        cycle.end(session, started.id, "cancelled")
    return label.cycle(started.id)


def wired(**governors: Governor) -> Studio:
    """Wire a studio as everywhere, with this process's connections but with these governors."""
    mine = Studio(studio().settings)
    vars(mine).update(engine=studio().engine, llm=studio().llm, **governors)
    return mine


def question(turn: Cycle, governor: Governor, purpose: str = "first") -> str | None:
    """Ask for a title; give it, or None when no model gave one."""
    words = ("Give this song its words.", f"A test asks for cycle {turn.id}, {purpose}.")
    answer = ask(wired(llm_governor=governor), turn, purpose, words, SlotText, lambda reply: reply.title)
    return answer[0] if answer else None


def states(turn: Cycle, purpose: str = "first") -> list[str]:
    with studio().begin() as session:
        return [call.state for call in llm.calls(session, turn.id, purpose)]


def reserved(turn: Cycle) -> int:
    with studio().begin() as session:
        return budget.spent_by(session, turn.artist_id, budget.USD_MICROS)[1]


def condition(governor: Governor) -> Condition:
    ((_, now),) = governor.state().accounts
    return now


def rule(turn: Cycle, **do: Any) -> dict[str, Any]:
    """Make a rule: the next question for this cycle goes wrong."""
    match = {"input_contains": f"for cycle {turn.id},"}
    return {"provider": "openai", "endpoint": "responses", "match": match, "times": 1, "do": do}


def test_a_question_waits_at_the_limit_without_a_row_and_without_money(make: Make, turn: Cycle) -> None:
    governor = make(Limits(calls=1, window_s=5.0, concurrency=9))
    assert question(turn, governor) is not None
    with pytest.raises(Wait) as wait:
        question(turn, governor, "second")
    assert states(turn, "second") == []
    assert reserved(turn) == 0
    assert governor.state().waiting == {f"artist:{turn.artist_id}": 1}
    time.sleep(max(wait.value.until.timestamp() - time.time(), 0))
    assert question(turn, governor, "second") is not None
    assert (states(turn, "first"), states(turn, "second")) == ([llm.OK], [llm.OK])
    assert (governor.state().waiting, governor.state().in_flight) == ({}, {})


def test_too_fast_cools_the_account_down_for_every_worker(label: Label, make: Make, turn: Cycle) -> None:
    with label.faults(rule(turn, http=429, retry_after=3)), pytest.raises(TransientError) as refused:
        question(turn, make())
    assert refused.value.retry_after_s == 3.0
    assert 0.0 < condition(make()).cooldown_s <= 3.0
    assert condition(make()).refusals == 1
    with pytest.raises(Wait) as wait:
        question(turn, make(), "second")
    assert 0.0 < wait.value.until.timestamp() - time.time() < 3.5
    assert states(turn) == [llm.POSTPONED]
    time.sleep(max(wait.value.until.timestamp() - time.time(), 0))
    assert question(turn, make(), "second") is not None


def test_an_empty_account_is_asked_once_and_the_cycle_goes_on(label: Label, make: Make, turn: Cycle) -> None:
    with label.faults(rule(turn, status=429, error_code="insufficient_quota")):
        assert question(turn, make()) is None
    assert condition(make()).out_of_credits
    assert question(turn, make(), "second") is None
    assert (states(turn), states(turn, "second")) == ([llm.FAILED], [])
    assert reserved(turn) == 0
    assert condition(make()).calls == 1


def test_who_comes_second_leaves_the_first_its_lease(label: Label, make: Make, turn: Cycle) -> None:
    do = {"delay_s": 1.5}
    with label.faults(rule(turn, **do)), ThreadPoolExecutor(1) as pool:
        first = pool.submit(question, turn, make())
        label.wait(lambda: states(turn) == [llm.SENT], "the first asks")
        with pytest.raises(Wait, match="another delivery is asking"):
            question(turn, make())
        assert make().state().in_flight == {f"artist:{turn.artist_id}": 1}
        assert first.result(timeout=30) is not None
    assert make().state().in_flight == {}
    assert states(turn) == [llm.OK]


def test_a_wait_past_the_cycles_deadline_is_no_answer(make: Make, turn: Cycle) -> None:
    governor = make()
    governor.cool_down(governor.accounts[0], 2 * studio().settings.cycle_deadline_s)
    assert question(turn, governor) is None
    assert states(turn) == []
    assert governor.state().waiting == {}


def test_without_redis_nobody_asks(make: Make, turn: Cycle) -> None:
    nowhere = redis.Redis(port=9, socket_connect_timeout=0.2)
    with pytest.raises(TransientError, match="no Redis"):
        question(turn, Governor(nowhere, "openai", make().accounts))
    assert states(turn) == []


@pytest.mark.parametrize("end", [None, TransientError("later"), OutOfCredits("empty"), KeyboardInterrupt()])
def test_a_lease_ends_with_its_block_however_that_ends(make: Make, end: BaseException | None) -> None:
    governor = make()

    def call() -> None:
        with governed(governor, "job", owner="label", lease_s=60) as account:
            assert account == governor.accounts[0]
            assert governor.state().in_flight == {"label": 1}
            if end is not None:
                raise end

    if end is None:
        call()
    else:
        with pytest.raises(type(end)):
            call()
    assert governor.state().in_flight == {}
    assert condition(governor).cooldown_s == 0


def test_a_block_that_waits_keeps_its_lease(make: Make) -> None:
    governor = make()
    limit = make(Limits(calls=1, window_s=60.0, concurrency=9))
    with pytest.raises(Wait), governed(governor, "job", owner="label", lease_s=60):
        limit.admit("another", owner="label", lease_s=0)
    assert governor.state().in_flight == {"label": 1}


def test_reports_are_stamped_and_a_refusal_cools_down(label: Label, make: Make) -> None:
    governor = make()
    mine = wired(distribution_governor=governor)
    too_fast = {"provider": "distribution", "endpoint": "streams", "do": {"status": 429, "retry_after": 3}}
    with label.faults(too_fast), pytest.raises(TransientError):
        fetch_report(mine, "report:test")
    assert 0.0 < condition(governor).cooldown_s <= 3.0
    with pytest.raises(Wait) as wait:
        fetch_report(mine, "report:test")
    assert (condition(governor).calls, governor.state().waiting) == (1, {"label": 1})
    time.sleep(max(wait.value.until.timestamp() - time.time(), 0))
    fetch_report(mine, "report:test")
    assert (condition(governor).calls, governor.state().in_flight) == (2, {})


def test_a_worker_delivers_no_release_while_the_distributor_cools_down(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    assert label.finish(label.start(artist_id)).state == "closed"
    with studio().begin() as session:
        (song,) = track.of_artist(session, artist_id)
    governor = studio().distribution_governor
    governor.cool_down(governor.accounts[0], 3.0)
    began = time.time()
    said = label.muzikantas("release", str(song.id))
    assert said.returncode == 0, said.stderr

    def delivered() -> bool:
        with studio().begin() as session:
            ((released, _),) = track.releases(session, artist_id)
        return released.published_at is not None

    label.wait(delivered, "the release is delivered")
    assert time.time() - began > 2.5


def test_the_command_shows_every_provider_in_use(label: Label) -> None:
    said = label.muzikantas("limits", "--json")
    assert said.returncode == 0, said.stderr
    providers = {state["provider"]: state for state in json.loads(said.stdout)["providers"]}
    assert next(iter(providers)) == studio().settings.music_providers[0]
    assert list(providers)[-3:] == ["openai", "distribution", "spotify"]
    assert providers["openai"]["accounts"][0]["limits"]["calls"] == studio().settings.openai_rate_calls
    (one,) = json.loads(label.muzikantas("limits", "openai", "--json").stdout)["providers"]
    assert one["provider"] == "openai"
    other = label.muzikantas("limits", "nobody")
    assert other.returncode == 2
    assert f"no provider 'nobody' is in use here; expected one of {', '.join(providers)}" in other.stderr
