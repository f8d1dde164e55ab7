"""Charts in PostgreSQL: corrections that win and leave a trace, files brought in whole or not at all."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from muzikantas.analysis.chart_dates import Wanted, wanted
from muzikantas.analysis.chart_lines import Entry
from muzikantas.domain.errors import InputError
from muzikantas.models import chart
from muzikantas.studio import studio
from tests.integration.label import Label

pytestmark = pytest.mark.usefixtures("label")

HEADER = "rank,uri,artist_names,track_name,source,peak_rank,previous_rank,weeks_on_chart,streams\n"
THURSDAY = date(2026, 1, 1)


def entry(of: Wanted, day: date, position: int = 1, streams: int | None = 10, title: str = "Song") -> Entry:
    return (*of.names, day, position, title, "Somebody", "u", streams, None, 1, 1, "{}")


def lines(count: int, streams: int = 100) -> str:
    return "".join(f'{rank},u{rank},"A, B",Song {rank},Label,1,-1,1,"{streams}"\n' for rank in range(1, count + 1))


def stored(of: Wanted) -> list[tuple[date, int]]:
    with studio().begin() as session:
        found = chart.days(session, *of.names)
        return [(day, len(chart.entries(session, *of.names, day))) for day in found]


def test_a_correction_wins_and_leaves_the_old_value_with_its_time() -> None:
    of = wanted("regional-ai-daily")
    with studio().begin() as session:
        chart.import_entries(session, [entry(of, THURSDAY, place) for place in (1, 2)], file="first.csv")
    with studio().begin() as session:
        (first, _) = chart.entries(session, *of.names, THURSDAY)
    corrected = [entry(of, THURSDAY, 1, streams=None, title="Söng, the"), entry(of, THURSDAY, 2)]
    done = []
    for _ in range(2):
        with studio().begin() as session:
            done.append(chart.import_entries(session, corrected, file="second.csv"))

    with studio().begin() as session:
        now_first, now_second = chart.entries(session, *of.names, THURSDAY)
        (old,) = chart.corrections(session, *of.names, THURSDAY)
    assert [(each.rows, each.new, each.changed) for each in done] == [(2, 0, 1), (2, 0, 0)]
    assert (now_first.streams, now_first.track_title, now_first.file) == (None, "Söng, the", "second.csv")
    assert (now_second.file, now_second.imported_at) == ("first.csv", first.imported_at)
    assert (old.position, old.was["streams"], old.was["track_title"]) == (1, 10, "Song")
    assert (old.file, old.imported_at, old.corrected_at) == ("first.csv", first.imported_at, now_first.imported_at)
    assert old.corrected_at > old.imported_at


def test_a_longer_file_is_merged_from_the_first_known_date_on() -> None:
    of = wanted("regional-aj-daily")
    days = [THURSDAY + timedelta(days=back) for back in range(6)]

    def import_days(*chosen: int) -> tuple[int, int, int]:
        rows = [entry(of, days[index], place) for index in chosen for place in range(1, 301)]
        with studio().begin() as session:
            merged = chart.import_entries(session, rows, file="f.csv")
        return merged.rows, merged.new, merged.changed

    assert import_days(2) == (300, 300, 0)
    assert import_days(1, 2, 3) == (900, 600, 0)
    assert import_days(4, 0, 5) == (900, 900, 0)  # goes back behind where it began
    assert import_days(*range(6)) == (1800, 0, 0)
    assert stored(of) == [(day, 300) for day in days]


def test_two_who_import_the_same_at_once_import_it_once() -> None:
    of = wanted("regional-ak-daily")
    rows = [entry(of, THURSDAY + timedelta(days=back), place) for back in range(40) for place in range(1, 101)]

    def import_all(_: int) -> int:
        with studio().begin() as session:
            return chart.import_entries(session, iter(rows), file="f.csv").new

    with ThreadPoolExecutor(3) as three:
        assert sorted(three.map(import_all, range(3))) == [0, 0, 4000]


@pytest.mark.parametrize(
    "word", ["tab\there", "line\nbreak", "re\rturn", "\x01", 'qu"ote', "back\\slash \\N", "nul\0", "\\."]
)
def test_any_character_arrives_as_it_was(word: str) -> None:
    of = wanted("regional-al-daily")
    day = THURSDAY + timedelta(days=sum(map(ord, word)))
    rows = [entry(of, day, 1, title=word), entry(of, day, 2, title="")]
    with studio().begin() as session:
        chart.import_entries(session, rows, file="f.csv")
        chart.import_entries(session, rows, file="f.csv")
        found = [each.track_title for each in chart.entries(session, *of.names, day)]
    assert found == [word.replace("\0", ""), ""]


def test_an_error_while_reading_arrives_and_leaves_nothing() -> None:
    of = wanted("regional-am-daily")

    def broken() -> Iterator[Entry]:
        for place in range(1, 2000):
            yield entry(of, THURSDAY, place)
        raise InputError("the file ends in the middle")

    with pytest.raises(InputError, match="in the middle"), studio().begin() as session:
        chart.import_entries(session, broken(), file="f.csv")
    assert stored(of) == []


def test_charts_and_their_dates_are_listed_by_index_alone() -> None:
    of = [wanted("regional-an-daily"), wanted("viral-an-daily")]
    with studio().begin() as session:
        for each, back in itertools.product(of, (9, 0, 5)):
            chart.import_entries(session, [entry(each, THURSDAY + timedelta(days=back))], file="f.csv")
        listed = [names for names in chart.charts(session) if names[2] == "AN"]
        every = session.execute(text("SELECT DISTINCT source, chart, country FROM chart_entries ORDER BY 1, 2, 3"))
        assert [tuple(row) for row in every] == chart.charts(session)
        some = chart.days(session, *of[0].names, first=THURSDAY + timedelta(days=1), last=THURSDAY + timedelta(days=9))
    assert listed == [each.names for each in of]
    assert some == [THURSDAY + timedelta(days=5), THURSDAY + timedelta(days=9)]


def test_a_broken_line_refuses_the_file_or_itself_and_nothing_between(label: Label, tmp_path: Path) -> None:
    of = wanted("regional-ao-weekly")
    file = tmp_path / of.file_name(THURSDAY)
    file.write_text(HEADER + lines(1500) + "1,u,A,S,L,1,-1,1,5\n" + "1501,u,A,S,L,1,-1,1,x\n")

    refused = label.muzikantas("charts", "import", "--json", str(file))
    nothing = stored(of)
    skipped = label.muzikantas("charts", "import", "--json", "--skip-bad-lines", str(file))
    again = label.muzikantas("charts", "import", "--json", "--skip-bad-lines", str(file))

    assert (refused.returncode, skipped.returncode, again.returncode) == (2, 1, 1)
    assert (
        f"{file} line 1502: position 1 of 2026-01-01 is told twice; line 2 has it already (and 1 more)"
        in refused.stderr
    )
    assert nothing == []
    assert stored(of) == [(THURSDAY, 1500)]
    whole = [json.loads(run.stdout.splitlines()[-1]) for run in (refused, skipped, again)]
    assert [(each["rows"], each["new"], each["changed"], each["rejected"]) for each in whole] == [
        (1502, 0, 0, 2),
        (1502, 1500, 0, 2),
        (1502, 0, 0, 2),
    ]
    lines_told = [bad["line"] for bad in json.loads(refused.stdout.splitlines()[0])["rejected_lines"]]
    assert lines_told == [1502, 1503]


def test_a_byte_that_is_no_utf8_is_named_by_its_line(label: Label, tmp_path: Path) -> None:
    of = wanted("regional-ap-weekly")
    file = tmp_path / of.file_name(THURSDAY)
    file.write_bytes((HEADER + lines(3000)).encode() + b'3001,u,\xe4,S,L,1,-1,1,"1"\n')

    done = label.muzikantas("charts", "import", str(file))

    assert (done.returncode, stored(of)) == (2, [])
    assert f"{file} line 3002: byte 0xe4 is no UTF-8; save the file as UTF-8" in done.stderr
