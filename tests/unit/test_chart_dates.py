"""Which dates of a chart are due: by UTC alone, each one until it is there."""

import itertools
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st

from muzikantas import shipped
from muzikantas.analysis.chart_dates import LONGEST_PAUSE_S, dates, missing, pause_s, wanted
from muzikantas.analysis.charts import chart_of
from muzikantas.domain.errors import InputError

NAMES = ["regional-global-weekly", "regional-de-daily", "viral-lt-weekly", "top50-daily-japan"]
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis wants naive bounds)
ZONES = [ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")]


@pytest.mark.parametrize("name", NAMES)
def test_a_wanted_chart_is_the_one_that_its_files_hold(name: str) -> None:
    chart = wanted(name)

    held = chart_of(chart.file_name(date(2026, 11, 5)))

    assert chart.names == (held.source, held.chart, held.country)
    assert held.day == (None if name.startswith("top") else date(2026, 11, 5))


@pytest.mark.parametrize(
    "name", ["", "regional", "regional-de-monthly", "regional-deu-daily", "top50-daily-mars", "regional-de-daily.csv"]
)
def test_a_chart_of_no_known_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected regional-COUNTRY-weekly"):
        wanted(name)


@given(now=INSTANTS, window_days=st.integers(1, 60), name=st.sampled_from(NAMES))
def test_dates_are_over_in_order_and_all_of_their_kind(now: datetime, window_days: int, name: str) -> None:
    chart = wanted(name)

    found = dates(chart, now, window_days=window_days)

    step = timedelta(days=7 if chart.weekly else 1)
    assert found == sorted(set(found))
    assert {later - earlier for earlier, later in itertools.pairwise(found)} <= {step}
    assert len(found) in ({window_days // 7, window_days // 7 + 1} if chart.weekly else {window_days})
    assert not chart.weekly or {day.weekday() for day in found} <= {3}
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC).date()
    assert all(midnight - timedelta(days=window_days) <= day < midnight for day in found)


@given(now=INSTANTS, name=st.sampled_from(NAMES), zone=st.sampled_from(ZONES))
def test_the_same_moment_told_by_another_clock_is_the_same(now: datetime, name: str, zone: ZoneInfo) -> None:
    chart = wanted(name)

    assert dates(chart, now.astimezone(zone), window_days=20) == dates(chart, now, window_days=20)


def test_a_clock_that_does_not_say_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        dates(wanted("regional-de-daily"), datetime(2026, 1, 1), window_days=3)  # noqa: DTZ001 (the very thing)


@given(now=INSTANTS, name=st.sampled_from(NAMES), back=st.sets(st.integers(1, 30)))
def test_missing_is_what_is_over_and_not_there(now: datetime, name: str, back: set[int]) -> None:
    chart = wanted(name)
    there = {now.date() - timedelta(days=days) for days in back}

    absent = missing(chart, now, there, window_days=30)

    assert set(absent) | (there & set(dates(chart, now, window_days=30))) == set(dates(chart, now, window_days=30))
    assert not set(absent) & there


def test_pauses_grow_to_half_a_day_and_the_source_may_ask_for_longer() -> None:
    pauses = [pause_s(attempts) for attempts in range(1, 40)]

    assert pauses == sorted(pauses)
    assert pauses[0] < 3600
    assert pauses[-1] == LONGEST_PAUSE_S
    assert pause_s(1, asked_s=7 * 86_400) == 7 * 86_400
    assert pause_s(9, asked_s=1) == LONGEST_PAUSE_S


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("change", [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)])
def test_beat_looks_once_an_hour_while_the_hosts_clock_changes(
    zone: str, change: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Celery[Any] = Celery("clock", set_as_current=False)
    app.conf.update(timezone=shipped.load("celeryconfig.py").timezone, enable_utc=True)
    entries = shipped.load("beat_schedule.py").beat_schedule.values()
    (look,) = (entry["schedule"] for entry in entries if entry["task"] == "muzikantas.tasks.charts.fetch_missing")
    clock = datetime(change.year, change.month, change.day, tzinfo=UTC) - timedelta(days=2)
    look.app, look.nowfun = app, lambda: datetime.fromtimestamp(clock.timestamp(), tz=app.timezone)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        runs = [clock]
        for _ in range(5 * 24 * 6):
            clock += timedelta(minutes=10)
            if look.is_due(runs[-1]).is_due:
                runs.append(clock)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert {later - earlier for earlier, later in itertools.pairwise(runs[1:])} == {timedelta(hours=1)}
    assert len(runs) == 5 * 24 + 1
