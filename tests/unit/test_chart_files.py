"""Chart files: every known form, and what a broken line or name leads to. All fixtures are made up."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.analysis.chart_lines import number, records
from muzikantas.analysis.charts import chart_of, read_chart, read_entries
from muzikantas.analysis.reports import BadLine, whole
from muzikantas.domain.errors import InputError

WEEKLY = "rank,uri,artist_names,track_name,source,peak_rank,previous_rank,weeks_on_chart,streams\n"
DAILY = "date,position,song,artist,popularity,is_explicit\n"
OLD = 'Position,"Track Name",Artist,Streams,URL\n'
WEEKLY_NAME = "regional-global-weekly-2026-01-01.csv"


def line(rank: int, title: str = '"Song"', **cells: str) -> str:
    values = {"peak": "1", "previous": "-1", "weeks": "1", "streams": '"12"'} | cells
    rest = ",".join(values[name] for name in ("peak", "previous", "weeks", "streams"))
    return f'{rank},"spotify:track:{rank}","A, B",{title},"Label",{rest}\n'


def read(text: str, name: str = WEEKLY_NAME) -> list[dict[str, object] | BadLine]:
    return list(read_chart(text, name))


def test_weekly_file_with_byte_order_mark_and_windows_lines() -> None:
    text = "\ufeff" + (WEEKLY + line(1, '"Say ""Hi"", twice"', previous="3")).replace("\n", "\r\n")

    (row,) = read(text)

    assert row == {
        "source": "spotify",
        "chart": "regional-weekly",
        "country": "GLOBAL",
        "day": date(2026, 1, 1),
        "position": 1,
        "track_title": 'Say "Hi", twice',
        "artist_names": "A, B",
        "uri": "spotify:track:1",
        "streams": 12,
        "previous_position": 3,
        "peak_position": 1,
        "periods_on_chart": 1,
        "details": {"label": "Label"},
    }


def test_minus_one_is_no_previous_position() -> None:
    (row,) = read(WEEKLY + line(1, previous="-1"))

    assert isinstance(row, dict)
    assert row["previous_position"] is None


def test_viral_chart_has_no_streams() -> None:
    header = WEEKLY.replace("weeks_on_chart,streams", "days_on_chart")

    (row,) = read(f"{header}1,u,A,S,L,1,-1,4\n", "viral-lt-daily-2026-01-02.csv")

    assert isinstance(row, dict)
    assert (row["chart"], row["streams"], row["periods_on_chart"]) == ("viral-daily", None, 4)


@pytest.mark.parametrize("note", ["", ',,,"Note that these figures are generated using a formula",\n'])
def test_old_form_is_dated_by_the_thursday_of_its_week(note: str) -> None:
    text = f'{note}{OLD}1,"Song",Singer,50,https://open.spotify.com/track/abc123\n'

    (row,) = read(text, "regional-global-weekly-2026-01-02--2026-01-09.csv")

    assert isinstance(row, dict)
    assert row["day"] == date(2026, 1, 8)
    assert (row["uri"], row["streams"], row["artist_names"]) == ("spotify:track:abc123", 50, "Singer")


def test_daily_positions_keep_a_line_without_song_and_artist() -> None:
    rows = read(f"{DAILY}2026-01-01,1,,,70,False\n2026-01-01,2,Song,Singer,,True\n", "top50-daily-japan.csv")

    assert [(r["position"], r["track_title"], r["country"]) for r in rows if isinstance(r, dict)] == [
        (1, "", "JP"),
        (2, "Song", "JP"),
    ]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (line(2, streams='"1e6"'), "streams is '1e6'"),
        (line(2, streams=f'"{2**63}"'), "streams is"),
        (line(2, streams='"' + "9" * 5000 + '"'), "4940 characters more"),
        (line(2, previous="-2"), "previous_rank is '-2'"),
        (line(2, '" "'), "track_name is empty"),
        (line(0), "rank is '0'"),
        (line(1), "position 1 of 2026-01-01 is told twice; line 2 has it already"),
        ("2,u,A\n", "3 fields; the header has 9"),
        ('2,"u" x,A,S,L,1,1,1,1\n', "no CSV"),
    ],
)
def test_broken_line_is_named_and_the_lines_after_it_are_read(broken: str, reason: str) -> None:
    rows = read(WEEKLY + line(1) + broken + line(3))

    assert isinstance(rows[1], BadLine)
    assert rows[1].line == 3
    assert reason in rows[1].reason
    assert [r["position"] for r in rows if isinstance(r, dict)] == [1, 3]


def test_quote_that_is_never_closed_says_which_lines_it_swallows() -> None:
    rows = read(WEEKLY + line(1) + '2,"never closed\n' + "3,plain\n")

    assert [bad for bad in rows if isinstance(bad, BadLine)] == rows[1:]
    assert isinstance(rows[1], BadLine)
    assert rows[1].line == 3
    assert "the lines up to 4" in rows[1].reason


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n1,2\n"])
def test_unknown_header_names_the_known_forms(text: str) -> None:
    with pytest.raises(InputError, match=r"known are .*current.*until 2021.*daily positions"):
        read(text)


def test_header_with_a_column_twice_is_refused() -> None:
    with pytest.raises(InputError, match="line 1: the header has a column twice"):
        read(WEEKLY.replace("rank,uri", "rank,rank,uri"))


@pytest.mark.parametrize(
    "name",
    ["chart.csv", "regional-global-weekly-2026-13-01.csv", "top50-daily-mars.csv", "regional-global-weekly-latest.csv"],
)
def test_name_that_does_not_tell_the_chart_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected regional-COUNTRY-weekly"):
        chart_of(name)


def test_weekly_lines_under_a_name_without_a_date_are_refused() -> None:
    with pytest.raises(InputError, match="no date"):
        read(WEEKLY + line(1), "top50-daily-japan.csv")


@given(text=st.one_of(st.integers().map(str), st.text(max_size=14)), least=st.integers(-1, 1))
def test_numbers_are_read_as_in_reports(text: str, least: int) -> None:
    def outcome(read: Callable[[], int]) -> int | str:
        try:
            return read()
        except ValueError as error:
            return str(error)

    assert outcome(lambda: number(text, "n", least)) == outcome(lambda: whole(text, "n", least=least))


@given(order=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=60))
def test_a_position_told_twice_is_found_wherever_it_stands(order: list[tuple[int, int]]) -> None:
    text = DAILY + "".join(f"2026-01-0{day + 1},{position},S,A,,\n" for day, position in order)

    rows = read(text, "top50-daily-japan.csv")

    twice = [i for i, pair in enumerate(order) if pair in order[:i]]
    assert [i for i, row in enumerate(rows) if isinstance(row, BadLine)] == twice
    assert [row.line for row in rows if isinstance(row, BadLine)] == [i + 2 for i in twice]


@given(st.text(alphabet='ab,"\n\r ', max_size=40))
def test_records_are_those_of_the_csv_module(text: str) -> None:
    try:
        expected = [
            cells for cells in csv.reader(io.StringIO(text, newline=""), strict=True) if cells not in ([], [""])
        ]
    except csv.Error:
        expected = None

    found = list(records(io.StringIO(text, newline="")))

    bad = [record for record in found if isinstance(record, BadLine)]
    assert (expected is None) == bool(bad)
    if expected is not None:
        assert [record[1] for record in found if not isinstance(record, BadLine)] == expected


def test_a_file_is_read_as_its_rows_are_taken() -> None:
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for text in (WEEKLY, *(line(rank) for rank in range(1, 1000))):
            taken += 1
            yield text

    entries = read_entries(lines(), WEEKLY_NAME)

    for _ in range(3):
        next(entries)
    assert taken == 4
