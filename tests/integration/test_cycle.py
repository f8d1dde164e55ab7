"""The loop on real components: a cycle turns, cycles do not overlap, and every stage may run twice."""

import time
from typing import Any

from sqlalchemy import select

from muzikantas.models import artist, budget, cycle, generation, insight, llm, performance, take, track
from muzikantas.models.llm import LlmCall
from muzikantas.studio import studio
from muzikantas.tasks import canvases, evolve_artist, reconcile
from muzikantas.tasks.learning import observations
from tests.integration.label import Label, fault


def test_a_cycle_turns_and_leaves_every_row(label: Label) -> None:
    artist_id, genre = label.artist(slots=2, release_rule="content_check")
    cycle_id = label.start(artist_id)
    ended = label.finish(cycle_id)
    assert (ended.state, ended.reason) == ("closed", None)
    slots = label.slots(cycle_id)
    assert [row.state for row in slots] == [generation.COMPLETE] * 2
    assert label.paid(cycle_id) == sorted(str(row.reference) for row in slots)
    with studio().begin() as session:
        tracks = track.of_artist(session, artist_id)
        for row in tracks:
            assert studio().store.has(row.audio_key)
            assert row.title
            assert row.rights["task_id"] == generation.get(session, row.generation_id).provider_task_id
            assert all(0 <= value <= 1 for value in row.realised_values)
        assert all(len(take.of_generation(session, row.id, take.MEASURED)) == 2 for row in slots)
        assert [row.kind for row in artist.history(session, artist_id)] == ["created", "evolved", "adapted"]
        plan = insight.plan_of(session, cycle_id)
        assert plan is not None
        assert [item["genre"] for item in plan.items] == [genre, genre]
        assert all(item["reason"] for item in plan.items)
        calls = session.scalars(select(LlmCall).where(LlmCall.cycle_id == cycle_id)).all()
        assert {call.purpose: call.state for call in calls} == {"brief": llm.OK, "evolve": llm.OK, "adapt": llm.OK}
        assert all(call.output_tokens > 0 for call in calls)
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (20, 0)
        assert budget.spent_by(session, artist_id, budget.USD_MICROS) == (sum(call.cost_micros for call in calls), 0)


def test_what_was_released_is_heard_of_and_the_next_plan_stands_on_it(label: Label) -> None:
    artist_id, _ = label.artist(slots=3, release_rule="content_check")
    label.finish(label.start(artist_id))

    def published() -> bool:
        with studio().begin() as session:
            return all(row.published_at for row, _ in track.releases(session, artist_id))

    label.wait(published, "the rule's releases go out")
    label.admin("advance", {"days": 8})
    second = label.start(artist_id)
    label.finish(second)
    with studio().begin() as session:
        seen = {o.id: o for o in observations(session, artist_id, days=7)}
        released = [song.id for _, song in track.releases(session, artist_id)]
        assert len(released) == 6
        heard = [seen[track_id] for track_id in released if seen[track_id].weight > 0]
        assert len(heard) == 3
        assert all(o.outcome > 0 and o.by_country for o in heard)
        plan = insight.plan_of(session, second)
        assert plan is not None
        assert any(item["evidence"] for item in plan.items)
        rows = performance.count(session)
    label.muzikantas("releases")  # a command in between changes nothing
    from muzikantas.tasks import collect_performance  # noqa: PLC0415 (sent once more, as beat would)

    collect_performance.delay().get(timeout=30)
    with studio().begin() as session:
        assert performance.count(session) == rows


def test_cycles_of_one_artist_never_overlap(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    answers = [evolve_artist.delay(artist_id) for _ in range(6)]
    started = [answer.get(timeout=30) for answer in answers]
    assert sum(bool(cycle_id) for cycle_id in started) == 1
    label.finish(max(started))


def test_every_task_may_run_twice_in_sequence(label: Label) -> None:
    artist_id, _ = label.artist(slots=2, release_rule="content_check")
    cycle_id = label.start(artist_id)
    label.finish(cycle_id)
    slots = label.slots(cycle_id)

    def published() -> bool:
        with studio().begin() as session:
            return all(row.published_at for row, _ in track.releases(session, artist_id))

    label.wait(published, "releases go out")
    before = label.counts()
    paid = label.paid(cycle_id)
    signatures = [canvases.slot(row.id) for row in slots]
    signatures += [canvases.body(cycle_id), canvases.stage("briefing.brief", cycle_id)]
    with studio().begin() as session:
        signatures += [canvases.stage("releasing.publish", row.id) for row, _ in track.releases(session, artist_id)]
    for signature in signatures:
        signature.delay().get(timeout=30)
    reconcile.delay().get(timeout=30)
    assert label.counts() == before
    assert label.paid(cycle_id) == paid


def test_every_stage_may_run_in_several_processes_at_once(label: Label) -> None:
    artist_id, _ = label.artist(slots=2, release_rule="content_check")
    cycle_id = label.start(artist_id)
    for _ in range(3):
        canvases.stage("briefing.brief", cycle_id).delay()
    label.wait(lambda: label.slots(cycle_id), "slots are written")
    for row in label.slots(cycle_id):
        for _ in range(3):
            canvases.slot(row.id).delay()
    label.wait(lambda: all(row.finished_at for row in label.slots(cycle_id)), "slots end")
    for _ in range(3):
        canvases.body(cycle_id).delay()
    assert label.finish(cycle_id).state == "closed"
    slots = label.slots(cycle_id)
    assert len(slots) == 2
    assert label.paid(cycle_id) == sorted(str(row.reference) for row in slots)
    assert label.tracks(cycle_id) == 2
    with studio().begin() as session:
        assert [row.kind for row in artist.history(session, artist_id)] == ["created", "evolved", "adapted"]
        assert len(insight.plans(session, artist_id)) == 1
        assert len(insight.analyses_of(session, "releases", f"artist:{artist_id}")) == 1
        answered = [call for purpose in ("brief", "evolve", "adapt") for call in llm.calls(session, cycle_id, purpose)]
        assert len(answered) == 3
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (20, 0)


def test_a_cancelled_cycle_sends_nothing_more_and_loses_nothing_paid(label: Label) -> None:
    artist_id, genre = label.artist(slots=2)
    untold = fault("generate", genre, times=2, do={"callback": "missing"})
    with label.faults(untold, fault("record-info", genre, times=100, do={"http": 500})):
        cycle_id = label.start(artist_id)
        label.wait(lambda: [row for row in label.slots(cycle_id) if row.submitted_at], "a request is paid")
        answer = label.muzikantas("cycle", "cancel", str(artist_id))
        assert answer.returncode == 0, answer.stderr
        assert label.cycle(cycle_id).state == "cancelled"
        sent = len(label.paid(cycle_id))
    label.wait(lambda: all(row.finished_at for row in label.slots(cycle_id)), "slots end")
    paid = len(label.paid(cycle_id))
    assert 1 <= sent <= paid
    assert label.tracks(cycle_id) == paid
    with studio().begin() as session:
        assert insight.plan_of(session, cycle_id) is None


def asked(cycle_id: int, purpose: str, state: str) -> list[LlmCall]:
    with studio().begin() as session:
        return [call for call in llm.calls(session, cycle_id, purpose) if call.state == state]


def end_while_asking(label: Label, cycle_id: int, purpose: str) -> None:
    """End a cycle between a question to the model and its answer, as `cycle cancel` does."""
    label.wait(lambda: asked(cycle_id, purpose, llm.SENT), f"the model is asked ({purpose})")
    with studio().begin() as session:
        assert cycle.end(session, cycle_id, "cancelled")
    label.wait(lambda: asked(cycle_id, purpose, llm.OK), "the model has answered")
    time.sleep(1)  # whatever the answer leads to follows within milliseconds


def late_answers(genre: str) -> dict[str, Any]:
    return {"provider": "openai", "endpoint": "responses", "match": {"input_contains": genre}, "do": {"delay_s": 1.5}}


def test_a_cycle_that_ends_while_the_model_writes_briefs_asks_for_no_track(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    with label.faults(late_answers(genre)):
        cycle_id = label.start(artist_id)
        end_while_asking(label, cycle_id, "brief")
    assert label.slots(cycle_id) == []


def test_a_cycle_that_ends_while_the_model_answers_keeps_its_persona(label: Label) -> None:
    artist_id, genre = label.artist(slots=1)
    cycle_id = label.start(artist_id)
    label.wait(lambda: label.slots(cycle_id), "the brief is written")
    with label.faults(late_answers(genre)):
        end_while_asking(label, cycle_id, "evolve")
    with studio().begin() as session:
        assert insight.plan_of(session, cycle_id) is not None
        assert [row.kind for row in artist.history(session, artist_id)] == ["created"]


def test_a_budget_that_is_spent_stops_new_requests(label: Label) -> None:
    artist_id, _ = label.artist(slots=3, credits_hard=20)
    ended = label.finish(label.start(artist_id))
    assert ended.state == "closed"
    slots = label.slots(ended.id)
    assert sorted(row.state for row in slots) == [generation.COMPLETE, generation.COMPLETE, generation.FAILED]
    assert "BudgetExceeded" in next(row.reason or "" for row in slots if row.state == generation.FAILED)
    assert len(label.paid(ended.id)) == 2


def test_beat_starts_a_cycle_that_is_due_and_an_analysis(label: Label) -> None:
    artist_id, _ = label.artist(slots=1)
    with studio().begin() as session:
        row = artist.get(session, artist_id)
        row.cycle_every_days = 7
        row.next_cycle_at = row.created_at
    cycle_id = label.wait(lambda: label.cycles(artist_id), "beat starts the due cycle", within_s=20)[0]
    label.finish(cycle_id)
    with studio().begin() as session:
        next_at = artist.get(session, artist_id).next_cycle_at
        assert next_at is not None
        assert next_at > cycle.get(session, cycle_id).started_at
