"""Statements: recognised by header, amounts read exactly, months kept apart from days, nothing guessed."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.analysis.amounts import amount, count, decimal_mark
from muzikantas.analysis.reports import BadHeader, BadLine, ReportRow, Unmatched, matched
from muzikantas.analysis.songs import Decision, Names, Roster, Song, plain
from muzikantas.analysis.statement_headers import Told
from muzikantas.analysis.statements import StatementRow, about_tracks, month, read, totals

SONGS = (
    Song(id=1, isrc="QZABC2600001", title="Neon Rain", artist="Luna"),
    Song(id=2, isrc=None, title="Home", artist="Luna"),
    Song(id=3, isrc=None, title="Home", artist="Sol"),
    Song(id=4, isrc="QZABC2600004", title="Don't Stop", artist="Sol"),
)
DISTROKID = (
    "Reporting Date\tSale Month\tStore\tArtist\tTitle\tISRC\tUPC\tQuantity\tTeam Percentage\tSong/Album\t"
    "Country of Sale\tSongwriter Royalties Withheld\tEarnings (USD)\n"
)
NEWER_DISTROKID = (
    '"Date Inserted","Reporting Date","Sale Month","Store","Artist","Title","ISRC","UPC","Quantity","Team Percentage",'
    '"Source Type","Country of Sale","Songwriter Royalties Withheld (USD)","Earnings (USD)","Recoup (USD)"\n'
)
TUNECORE = (
    "Sales Period,Posted Date,Store Name,Country Of Sale,Artist,Release Type,Release Title,Song Title,Label,UPC,"
    "Optional UPC,TC Song ID,Optional ISRC,Sales Type,# Units Sold,Per Unit Price,Net Sales,Net Sales Currency,"
    "Exchange Rate,Total Earned,Currency\n"
)
UNTOLD = Told()


def distrokid(*lines: str) -> str:
    return "\ufeff" + DISTROKID + "".join(line.replace("|", "\t") + "\n" for line in lines)


def rows(text: str, name: str = "file.csv", told: Told = UNTOLD) -> list[Any]:
    return list(read(text, name, told))


def bad(text: str, name: str = "file.csv", told: Told = UNTOLD) -> str:
    (only,) = read(text, name, told)
    assert isinstance(only, BadHeader)
    return only.reason


def earned(lines: Iterable[Any]) -> list[tuple[Any, ...]]:
    (statement_rows, names) = (totals(lines, about="track_id"), ("track_id", "period", "units", "revenue_micros"))
    return sorted(tuple(row[name] for name in names) for row in statement_rows)


def test_distrokid_between_tabs_with_quotes_in_titles_and_a_mark_before_it() -> None:
    (row,) = rows(
        distrokid('2026-08-25|2026-07|Spotify|Luna|"Neon" Rain|QZ-ABC-26-00001|1|120|100|Song|NL|0|0.0123456')
    )

    assert isinstance(row, StatementRow)
    assert row.names == Names(isrc="QZABC2600001", title='"Neon" Rain', artist="Luna")
    assert row.values == {
        "source": "distrokid",
        "statement": "2026-08-25",
        "platform": "spotify",
        "country": "NL",
        "period": "2026-07",
        "kind": "song",
        "units": 120,
        "listeners": None,
        "saves": None,
        "revenue": Decimal("0.0123456"),
        "currency": "USD",
    }


def test_the_newer_form_of_distrokid_is_known_too() -> None:
    line = (
        '"2026-09-01","2026-08-25","2026-07","Deezer","Luna","Home","","1","7","100","Streaming","FR","0","0.01","0"\n'
    )
    (row,) = rows(NEWER_DISTROKID + line)

    assert (row.values["kind"], row.values["currency"], row.names.isrc) == ("streaming", "USD", None)


def test_tunecore_has_a_currency_a_line_groups_and_a_code_in_one_of_two_columns() -> None:
    head = "2026-07-01,2026-09-01,Deezer,FR,Luna,Single,Neon Rain,Neon Rain,,1,,"
    text = (
        TUNECORE
        + head
        + 'QZABC2600001,,Streaming,"1,200",0,1,USD,1,1.5,USD\n'
        + head
        + '12,QZABC2600004,Streaming,-3,0,1,EUR,1,"-0.25",EUR\n'
    )
    first, second = rows(text)

    assert (first.names.isrc, second.names.isrc) == ("QZABC2600001", "QZABC2600004")
    assert (first.values["units"], first.values["period"]) == (1200, "2026-07")
    assert (second.values["units"], second.values["revenue"], second.values["currency"]) == (
        -3,
        Decimal("-0.25"),
        "EUR",
    )


def test_an_album_is_no_track_though_it_has_the_title_of_one() -> None:
    text = TUNECORE + "2026-07-01,2026-09-01,iTunes,FR,Sol,Album,Home,,,1,,,,Download,1,7,7,USD,1,4.9,USD\n"
    (album,) = about_tracks(rows(text), Roster(SONGS))
    (other,) = about_tracks(
        rows(distrokid("2026-08-25|2026-07|iTunes|Sol|Home||1|1|100|Album|NL|0|4.9")), Roster(SONGS)
    )

    for line in (album, other):
        assert isinstance(line, Unmatched)
        assert line.names.title == "Home (album)"


def test_spotify_for_artists_counts_days_of_a_song_by_its_files_name() -> None:
    (first, second) = matched(
        rows("\ufeffdate,streams\n2026-01-01,12\n2026-01-02,0\n", "Neon Rain-timeline (1).csv"), Roster(SONGS)
    )

    assert isinstance(first, dict)
    assert (first["track_id"], first["platform"], first["country"], first["streams"]) == (1, "spotify", "GLOBAL", 12)
    assert isinstance(second, dict)
    (told,) = matched(rows("date,streams\n2026-01-01,12\n", "export.csv", Told(track=3)), Roster(SONGS))
    assert isinstance(told, dict)
    assert told["track_id"] == 3


def test_spotify_for_artists_songs_are_sums_over_a_window_and_no_days() -> None:
    (row,) = rows("song,listeners,streams,saves,release_date\nHome,4,9,1,2026-07-03\n", "1x7-songs-28day.csv")

    assert isinstance(row, StatementRow)
    assert (row.values["period"], row.values["units"], row.values["listeners"]) == ("28day", 9, 4)
    assert (row.values["revenue"], row.values["currency"]) == (None, "")


@pytest.mark.parametrize(
    ("text", "name", "told", "reason"),
    [
        ("Konto,Betrag\n1,2\n", "x.csv", UNTOLD, "found: Konto, Betrag; expected a streams report"),
        ("Konto,Betrag\n1,2\n", "x.csv", UNTOLD, "--map COLUMN=FIELD, fields: track, isrc, title"),
        ("", "x.csv", UNTOLD, "found: nothing"),
        ("date,listeners,streams,followers\n", "x.csv", UNTOLD, "counts all tracks of an artist together"),
        ("date,streams\n2026-01-01,1\n", "export.csv", UNTOLD, "say by --track ID"),
        ("a,b\n", "x.csv", Told(columns={"c": "title"}), "no column is called 'c'; found: a, b"),
        ("a,b\n", "x.csv", Told(columns={"a": "name"}), "no field is called 'name'; fields: track"),
        ("a,b\n", "x.csv", Told(columns={"a": "title"}), "gives no date or period"),
        ("a,b\n", "x.csv", Told(columns={"a": "period"}), "gives no track or isrc or title"),
        ("a,b,c\n", "x.csv", Told(columns={"a": "period", "b": "title", "c": "revenue"}), "name it by --currency EUR"),
        (
            'a,b,c (EUR)\n2026-07,x,"1,234"\n',
            "x.csv",
            Told(columns={"a": "period", "b": "title", "c": "revenue"}),
            "c is '1,234', thousands or decimals; say which by --decimal",
        ),
        (
            "a;b;c (EUR)\n2026-07;x;1,23\n2026-07;x;1.23\n",
            "x.csv",
            Told(columns={"a": "period", "b": "title", "c": "revenue"}),
            "some amounts have a decimal comma ('1,23') and some a decimal point ('1.23')",
        ),
    ],
)
def test_a_file_that_cannot_be_understood_says_what_was_found_and_what_to_do(
    text: str, name: str, told: Told, reason: str
) -> None:
    assert reason in bad(text, name, told)


def test_any_file_can_be_mapped_by_hand() -> None:
    columns = {"Monat": "period", "Titel": "title", "Betrag (EUR)": "revenue", "Anzahl": "streams"}
    text = "Monat;Titel;Anzahl;Betrag (EUR)\n07/2026;Neon Rain;1.200;1.234,50\nJuly 2026;Neon Rain;3;-0,005\n"
    found = list(about_tracks(rows(text, told=Told(columns=columns)), Roster(SONGS)))

    assert earned(found) == [(1, "2026-07", 1203, 1_234_495_000)]


def test_days_can_be_mapped_by_hand() -> None:
    columns = {"Day": "date", "Store": "platform", "Land": "country", "Plays": "streams", "Net (EUR)": "revenue"}
    text = "Day,Store,Land,Plays,Net (EUR)\n2026-07-01,Deezer,FR,7,0.02\n"
    (row,) = rows(text, told=Told(columns=columns, track=1))

    assert isinstance(row, ReportRow)
    assert (row.track, row.values["streams"], row.values["revenue_micros"], row.values["currency"]) == (
        "1",
        7,
        20_000,
        "EUR",
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-08-25|bad month|Spotify|Luna|Home||1|1|100|Song|NG|0|0", "period is 'bad month'"),
        ("2026-08-25|2026-13|Spotify|Luna|Home||1|1|100|Song|NG|0|0", "period is '2026-13'"),
        ("2026-08-25|2026-07|Spotify|Luna|Home||1|1.5|100|Song|NG|0|0", "streams is '1.5'; expected a whole number"),
        ("2026-08-25|2026-07|Spotify|Luna|Home||1|1|100|Song|NG|0|many", "revenue is 'many'"),
        ("2026-08-25|2026-07", "2 fields; the header has 13"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(line: str, reason: str) -> None:
    wrong, right = rows(distrokid(line, "2026-08-25|2026-07|Spotify|Luna|Home||1|1|100|Song|NG|0|0"))

    assert isinstance(wrong, BadLine)
    assert (wrong.line, reason in wrong.reason) == (2, True)
    assert isinstance(right, StatementRow)


def test_lines_of_one_month_add_up_and_only_the_sum_is_rounded() -> None:
    tiny = "2026-08-25|2026-07|Spotify|Luna|Neon Rain|QZABC2600001|1|1|100|Song|NL|0|0.0000004"
    found = list(about_tracks(rows(distrokid(*[tiny] * 10)), Roster(SONGS)))

    assert len(found) == 10
    assert earned(found) == [(1, "2026-07", 10, 4)]


def test_a_later_statement_and_another_currency_stand_by_themselves() -> None:
    months = ("2026-08-25|2026-07", "2026-09-25|2026-07", "2026-09-25|2026-08")
    lines = [f"{each}|Spotify|Luna|Neon Rain|QZABC2600001|1|5|100|Song|NL|0|1" for each in months]
    found = totals(about_tracks(rows(distrokid(*lines)), Roster(SONGS)), about="track_id")  # type: ignore[arg-type] # all match

    assert [(row["statement"], row["period"]) for row in found] == [
        ("2026-08-25", "2026-07"),
        ("2026-09-25", "2026-07"),
        ("2026-09-25", "2026-08"),
    ]


@pytest.mark.parametrize(
    ("names", "track_id"),
    [
        (Names(isrc="qz-abc-26-00001", title="Something else"), 1),
        (Names(title="NEON  RAIN!"), 1),
        (Names(title="Dont Stop"), 4),
        (Names(title="Home", artist="Luna"), 2),
        (Names(title="Home", artist="Someone, Sol & Friends"), 3),
        (Names(title="Neon Rain", isrc="QZXXX2600099", artist="Luna"), "with the ISRC QZABC2600001, not QZXXX2600099"),
        (Names(title="Home", isrc="QZXXX2600099", artist="Luna"), 2),
        (Names(title="Home"), "fits the tracks 2, 3"),
        (Names(title="Home", artist="Solange"), "no track of ours"),
        (Names(title="Neon Rain (Live)"), "no track of ours"),
        (Names(title="!!!"), "no track of ours"),
        (Names(), "track, isrc and title are empty"),
    ],
)
def test_a_name_is_a_track_by_code_else_by_title_and_artist(names: Names, track_id: int | str) -> None:
    roster = Roster(SONGS)
    if isinstance(track_id, int):
        assert roster.whose(names) == track_id
    else:
        with pytest.raises(ValueError, match=track_id):
            roster.whose(names)


def test_what_an_operator_has_decided_counts_first_and_for_every_spelling() -> None:
    decided = Decision(names=Names(title="Home", artist="Solange"), track_id=3)
    foreign = Decision(names=Names(title="Neon Rain", artist="Luna"), track_id=None)
    roster = Roster(SONGS, [decided, foreign])

    assert roster.whose(Names(title="HOME", artist="solange")) == 3
    assert roster.whose(Names(title="Neon rain", artist="LUNA")) is None
    assert roster.whose(Names(title="Neon rain")) == 1
    line = "2026-08-25|2026-07|Spotify|Luna|Neon Rain||1|5|100|Song|NL|0|1"
    assert list(about_tracks(rows(distrokid(line)), roster)) == []


def written(value: Decimal, mark: Literal[".", ","], *, grouped: bool) -> str:
    whole, _, decimals = f"{abs(value):f}".partition(".")
    if grouped:
        whole = f"{int(whole):,}".replace(",", "," if mark == "." else ".")
    return ("-" if value < 0 else "") + whole + (mark + decimals if decimals else "")


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)


@given(st.lists(decimals, min_size=1), st.sampled_from([".", ","]), st.booleans())
def test_amounts_are_read_exactly_in_either_spelling(
    values: list[Decimal],
    mark: Literal[".", ","],
    grouped: bool,  # noqa: FBT001 (hypothesis gives it by place)
) -> None:
    texts = [written(value, mark, grouped=grouped) for value in values]

    assert decimal_mark(texts) == mark
    assert [amount(text, mark, "revenue") for text in texts] == values


@given(st.integers(-(10**12), 10**12), st.sampled_from([".", ","]))
def test_whole_numbers_may_be_grouped(number: int, mark: Literal[".", ","]) -> None:
    assert count(written(Decimal(number), mark, grouped=True), mark, "streams") == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$1,234.50", "1234.50"),
        ("12.5 EUR", "12.5"),
        ("USD 3", "3"),
        ("(0.10)", "-0.10"),
        ("4-", "-4"),
        ("1 234.5", "1234.5"),
    ],
)
def test_signs_of_currencies_and_negative_brackets_are_understood(text: str, value: str) -> None:
    assert amount(text, ".", "revenue") == Decimal(value)


@pytest.mark.parametrize("text", ["", "1.2.3", "12,34,567.8", "1,2345", "0x10", "nan", "--1", ".", "1e999"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="revenue is"):
        amount(text, ".", "revenue")


@given(st.lists(st.tuples(st.integers(1, 3), decimals), min_size=1))
def test_totals_neither_lose_nor_make_money(lines: list[tuple[int, Decimal]]) -> None:
    same = dict.fromkeys(("source", "statement", "platform", "country", "period", "kind", "currency"), "x")
    given_rows = [{"track_id": n, "units": 1, "listeners": None, "saves": None, "revenue": v, **same} for n, v in lines]
    sums = totals(given_rows, about="track_id")

    assert sum(row["units"] for row in sums) == len(lines)
    assert sum(row["revenue_micros"] for row in sums) == sum(value for _, value in lines) * 1_000_000
    assert len(sums) == len({n for n, _ in lines})


@pytest.mark.parametrize("text", ["2026", "2026-00", "13/2026", "Foo 2026", "", "2026-07-31x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="period is"):
        month(text)


@given(st.text())
def test_plain_titles_are_stable(title: str) -> None:
    assert plain(plain(title)) == plain(title)
    assert plain(f"  {title}!?") == plain(title)
