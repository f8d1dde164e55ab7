"""Streams reports: read strictly, matched to our tracks, nothing guessed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.analysis.reports import BadHeader, BadLine, Unmatched, matched, read_report, whole
from muzikantas.analysis.songs import Roster, Song

SONGS = (
    Song(id=1, isrc="LTABC2600001", title="One"),
    Song(id=2, isrc=None, title="Two"),
    Song(id=3, isrc="LTABC2600003", title="Twin"),
    Song(id=4, isrc=None, title="Twin"),
    Song(id=5, isrc=None, title=None),
)
HEADER = "date,track,isrc,title,platform,country,streams,engagement_rate,revenue,currency\n"


def one(cells: str) -> dict[str, object] | BadLine:
    (row,) = matched(read_report(HEADER + cells + "\n"), Roster(SONGS))
    return row


@pytest.mark.parametrize(
    ("names", "track_id"),
    [
        ("1,,", 1),
        (",lt-abc-26-00001,", 1),
        (",,Two", 2),
        (",,TWO!", 2),  # the same words
        ("5,,Twin", 5),  # the id says which, the title need not
        ("distributor's own,,Two", 2),  # an id of somebody else's: the next name counts
        ("1,LTABC2600001,One", 1),
    ],
)
def test_line_is_about_the_track_by_id_else_isrc_else_title(names: str, track_id: int) -> None:
    row = one(f"2026-01-31,{names},Spotify,de,7,,,")

    assert isinstance(row, dict)
    assert (row["track_id"], row["platform"], row["country"]) == (track_id, "spotify", "DE")
    assert (row["day"], row["streams"]) == (date(2026, 1, 31), 7)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("2026-01-31,99,,,spotify,DE,7,,,", "no track of ours (track '99')"),
        ("2026-01-31,,,,spotify,DE,7,,,", "track, isrc and title are empty"),
        ("2026-01-31,,,Two (Live),spotify,DE,7,,,", "no track of ours"),  # another version is another recording
        ("2026-01-31,,,Twin,spotify,DE,7,,,", "title 'Twin' fits the tracks 3, 4"),
        ("2026-01-31,1,LTABC2600003,,spotify,DE,7,,,", "the ISRC belongs to track 3"),
        ("31.01.2026,1,,,spotify,DE,7,,,", "date is '31.01.2026'"),
        ("2026-01-31,1,,,,DE,7,,,", "platform is ''"),
        ("2026-01-31,1,,,spotify,Germany,7,,,", "country is 'Germany'"),
        ("2026-01-31,1,,,spotify,DE,-7,,,", "streams is '-7'"),
        (f"2026-01-31,1,,,spotify,DE,{2**63},,,", "streams is"),
        ("2026-01-31,1,,,spotify,DE,7,nan,,", "engagement_rate is 'nan'"),
        ("2026-01-31,1,,,spotify,DE,7,,1.5,", "revenue is '1.5' without a currency"),
        ("2026-01-31,1,,,spotify,DE,7,,x,EUR", "'x' is no amount of money"),
        ("2026-01-31,1,,,spotify,DE,7,,1e15,EUR", "more than the database holds"),
        ("2026-01-31,1,,,spotify,DE,7,,,EURO", "currency is 'EURO'"),
        ("2026-01-31,1", "2 fields; the header has 10"),
    ],
)
def test_wrong_line_is_named_with_what_was_found(cells: str, reason: str) -> None:
    row = one(cells)

    assert isinstance(row, BadLine)
    assert row.line == 2
    assert reason in row.reason
    assert isinstance(row, Unmatched) == any(word in reason for word in ("track", "fits", "belongs"))


def test_same_track_place_and_day_twice_names_the_first_line() -> None:
    text = HEADER + "2026-01-31,1,,,spotify,DE,7,,,\n" * 2 + "2026-01-31,,,One,spotify,FR,7,,,\n"

    first, second, third = matched(read_report(text), Roster(SONGS))

    assert isinstance(first, dict)
    assert second == BadLine(line=3, reason="line 2 tells of the same track, platform, country and date")
    assert isinstance(third, dict)


def test_revenue_is_kept_in_millionths() -> None:
    row = one("2026-01-31,1,,,spotify,DE,7,0.5,0.003,eur")

    assert isinstance(row, dict)
    assert (row["revenue_micros"], row["currency"], row["engagement_rate"]) == (3000, "EUR", 0.5)


@pytest.mark.parametrize(
    "header", ["", "a,b\n", "date,platform,country,streams\n", HEADER.replace("title", "streams"), '"x"y\n']
)
def test_header_that_cannot_be_used_is_the_only_thing_given(header: str) -> None:
    (bad,) = read_report(f"{header}2026-01-31,1,,,spotify,DE,7,,,\n" if header else "")

    assert isinstance(bad, BadHeader)


@given(st.integers())
def test_whole_numbers_are_read_or_refused_by_their_range(number: int) -> None:
    if 0 <= number < 2**63:
        assert whole(str(number), "streams") == number
    else:
        with pytest.raises(ValueError, match="streams is"):
            whole(str(number), "streams")
