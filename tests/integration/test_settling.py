"""`muzikantas generations` on the running stack: a person settles what nobody knows, once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from muzikantas.models import generation
from muzikantas.models.audit import AuditEntry
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from tests.integration.doubts import PRICE, becomes_a_track, change, in_doubt, now, spent
from tests.integration.label import Label


def resolve(label: Label, row: Generation, *how: str) -> tuple[int, str]:
    """Run the command; give its exit code and what it said."""
    done = label.muzikantas("generations", "resolve", str(row.id), *how)
    return done.returncode, done.stdout + done.stderr


def listed(label: Label, row: Generation) -> dict[str, Any] | None:
    """Give the request's line of `generations unknown`, if it has one."""
    lines = label.muzikantas("generations", "unknown", "--json").stdout.splitlines()
    return next((line for line in map(json.loads, lines) if line["generation"] == row.id), None)


def let_the_deadline_wait(row: Generation) -> None:
    change(row, submit_deadline=func.now() + timedelta(hours=1))


def let_the_deadline_pass(row: Generation) -> None:
    change(row, submit_deadline=func.now() - timedelta(seconds=1))


def decisions(row: Generation) -> list[dict[str, Any]]:
    with studio().begin() as session:
        about = AuditEntry.subject == f"generation:{row.id}"
        mine = select(AuditEntry.details).where(about, AuditEntry.action == "resolve")
        return [dict(details) for details in session.scalars(mine)]


def test_what_was_made_becomes_a_track_after_the_answers_time(label: Label) -> None:
    row, task_id = in_doubt(label)
    let_the_deadline_wait(row)
    line = listed(label, row)
    assert line is not None
    assert (line["slot"], line["credits"], line["answer_may_come"]) == (row.slot, PRICE, True)
    code, said = resolve(label, row, "--made", task_id)
    assert (code, "may still come" in said) == (2, True)
    assert now(row).state == generation.UNKNOWN

    let_the_deadline_pass(row)
    line = listed(label, row)
    assert line is not None
    assert not line["answer_may_come"]
    code, said = resolve(label, row, "--made", task_id)
    assert code == 0, said
    becomes_a_track(label, row)
    assert decisions(row) == [{"task_id": task_id}]
    assert listed(label, row) is None
    assert resolve(label, row, "--lost")[0] == 2
    assert label.cycle(row.cycle_id).state == "starved"


def test_a_task_of_another_request_is_not_taken(label: Label) -> None:
    first, task_id = in_doubt(label)
    let_the_deadline_pass(first)
    assert resolve(label, first, "--made", task_id)[0] == 0
    row, _ = in_doubt(label)
    let_the_deadline_pass(row)
    code, said = resolve(label, row, "--made", task_id)
    assert (code, f"generation {first.id}" in said) == (2, True)
    assert now(row).state == generation.UNKNOWN


@pytest.mark.parametrize("refunded", [False, True])
def test_what_is_lost_counts_as_spent_unless_the_credits_came_back(label: Label, refunded: bool) -> None:  # noqa: FBT001 (pytest's parameter)
    row, _ = in_doubt(label)
    let_the_deadline_pass(row)
    code, said = resolve(label, row, "--lost", *(["--refunded"] if refunded else []))
    assert code == 0, said
    assert (now(row).state, now(row).reason) == (generation.FAILED, "resolved by the operator: lost")
    assert spent(row) == (0 if refunded else PRICE)
    assert decisions(row) == [{"lost": True, "refunded": refunded}]
    assert resolve(label, row, "--lost", "--refunded")[0] == 2
    assert spent(row) == (0 if refunded else PRICE)


@pytest.mark.parametrize("how", [[], ["--made", "x", "--lost"], ["--made", "x", "--refunded"]])
def test_half_a_decision_is_none(label: Label, how: list[str]) -> None:
    done = label.muzikantas("generations", "resolve", "1", *how)
    assert done.returncode == 2
    assert "--lost" in done.stderr
