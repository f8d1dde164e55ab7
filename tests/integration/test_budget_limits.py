"""Limits of budgets as an operator meets them: warnings, `doctor`, the report, and the command that changes them."""

import logging
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from muzikantas.cli import checks
from muzikantas.cli.artist import artist as command
from muzikantas.domain.errors import BudgetExceeded, InputError
from muzikantas.models import artist, budget
from muzikantas.models.audit import AuditEntry
from muzikantas.models.budget import CREDITS, CYCLES, MONTHS, USD_MICROS
from muzikantas.report.ledger import money
from muzikantas.studio import studio
from tests.integration.label import Label
from tests.integration.money import limit, month, reserve, turn


def warnings_of(artist_id: int) -> list[dict[str, Any]]:
    mine = select(AuditEntry.details).where(AuditEntry.subject == f"artist:{artist_id}")
    with studio().begin() as session:
        found = session.scalars(mine.where(AuditEntry.action == budget.WARNED).order_by(AuditEntry.id))
        return [dict(details) for details in found]


def test_a_soft_limit_warns_once_and_stops_nothing(label: Label, caplog: pytest.LogCaptureFixture) -> None:
    artist_id, _ = label.artist()
    limit(artist_id, MONTHS, soft=20)
    limit(artist_id, CYCLES, soft=10, hard=40)
    cycle_id = turn(artist_id)
    with caplog.at_level(logging.WARNING, logger=budget.logger.name):
        reserve(artist_id, cycle_id, 10)
        assert caplog.messages == []
        reserve(artist_id, cycle_id, 10)
        again = reserve(artist_id, cycle_id, 10)
        with studio().begin() as session:
            budget.settle(session, subject=again, spent=0)
        reserve(artist_id, cycle_id, 10)  # passes both limits a second time
        with pytest.raises(BudgetExceeded):
            reserve(artist_id, cycle_id, 30)
    name = f"artist {artist_id} ({named(artist_id)})"
    assert caplog.messages == [
        f"{name} has used 20 credits in cycle 1, above the soft limit of 10 credits",
        f"{name} has used 30 credits in {month(artist_id)}, above the soft limit of 20 credits",
    ]
    noted = [(note["period"], note["unit"], note["used"], note["soft"]) for note in warnings_of(artist_id)]
    assert noted == [(f"{CYCLES}:{cycle_id}", CREDITS, 20, 10), (month(artist_id), CREDITS, 30, 20)]


def named(artist_id: int) -> str:
    with studio().begin() as session:
        return artist.get(session, artist_id).name


def test_what_is_refused_in_the_cycle_warns_of_nothing_in_the_month(label: Label) -> None:
    artist_id, _ = label.artist()
    limit(artist_id, MONTHS, soft=5)
    limit(artist_id, CYCLES, hard=5)
    cycle_id = turn(artist_id)
    with pytest.raises(BudgetExceeded):
        reserve(artist_id, cycle_id, 10)
    assert warnings_of(artist_id) == []


def test_doctor_shows_the_running_cycle_and_forgets_one_that_ended(label: Label) -> None:
    artist_id, _ = label.artist()
    limit(artist_id, CYCLES, soft=5, hard=20)
    first = turn(artist_id)
    reserve(artist_id, first, 10)
    assert doubts(artist_id) == [f"{named(artist_id)} has used 10 credits in cycle 1, soft limit 5 credits"]
    reserve(artist_id, first, 10)
    assert "hard limit 20 credits" in doubts(artist_id)[0]
    turn(artist_id)
    assert doubts(artist_id) == []


def doubts(artist_id: int) -> list[str]:
    return [found.said for found in checks.budgets() if found.said.startswith(f"{named(artist_id)} has")]


def test_the_report_counts_the_money_of_a_month_once(label: Label) -> None:
    artist_id, _ = label.artist()
    for _ in range(2):
        subject = reserve(artist_id, turn(artist_id), 10)
        with studio().begin() as session:
            budget.settle(session, subject=subject, spent=10)
    with studio().begin() as session:
        shown = money(session, artist_id, ())
    assert [(row.period, row.spent) for row in shown.months] == [(month(artist_id), 20)]


def run(*words: str) -> str:
    """Run `muzikantas artist` in this process; give what it prints, or raise its error."""
    return CliRunner().invoke(command, words, catch_exceptions=False).stdout


def test_a_changed_limit_holds_for_what_is_under_way_and_to_come(label: Label) -> None:
    artist_id, _ = label.artist(credits_hard=15)
    limit(artist_id, CYCLES, hard=15)
    ended, running = turn(artist_id), turn(artist_id)
    for cycle_id in (ended, running):
        reserve(artist_id, cycle_id, 0)
    reserve(artist_id, running, 10)
    for period in ("month", "cycle"):
        with pytest.raises(BudgetExceeded):
            reserve(artist_id, running, 10)
        said = run("budget", named(artist_id), "credits", period, "--soft", "18", "--hard", "30")
        assert f"each {period}, credits: soft 18, hard 30" in said
    reserve(artist_id, running, 10)
    with pytest.raises(BudgetExceeded):
        reserve(artist_id, ended, 20)
    reserve(artist_id, turn(artist_id), 10)
    shown = run("show", str(artist_id))
    assert "budget each cycle credits: soft 18, hard 30" in shown
    assert "budget cycle 3    credits: 0 spent, 10 reserved; soft 18, hard 30" in shown
    with studio().begin() as session:
        mine = select(AuditEntry.details).where(AuditEntry.subject == f"artist:{artist_id}")
        noted = session.scalars(mine.where(AuditEntry.action == "budget").order_by(AuditEntry.id)).all()
    assert [dict(each) for each in noted] == [
        {"unit": CREDITS, "period": period, "soft": 18, "hard": 30} for period in ("month", "cycle")
    ]


def test_one_limit_is_changed_and_the_other_stays(label: Label) -> None:
    artist_id, _ = label.artist()

    usd = ("budget", str(artist_id), "usd", "month")
    run(*usd, "--hard", "12.345678")
    run(*usd, "--soft", "2.5")
    with studio().begin() as session:
        (row,) = [row for row in budget.of_artist(session, artist_id) if (row.unit, row.period) == (USD_MICROS, MONTHS)]
    assert (row.soft_limit, row.hard_limit) == (2_500_000, 12_345_678)
    assert run(*usd, "--hard", "none").endswith("usd: soft 2.50, hard none\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "expected --soft, --hard or both"),
        (("--soft", "13"), "soft is 13, above hard, 12"),
        (("--hard", "lots"), "--hard 'lots': "),
        (("--hard", "-1"), "--hard '-1': "),
    ],
)
def test_a_limit_that_cannot_be_is_refused(label: Label, options: tuple[str, ...], said: str) -> None:
    artist_id, _ = label.artist()
    for unit in ("usd", "credits"):
        limits = ("budget", str(artist_id), unit, "cycle")
        run(*limits, "--hard", "12")
        with pytest.raises(InputError) as caught:
            run(*limits, *options)
        assert said in str(caught.value)
