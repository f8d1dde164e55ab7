"""Profiles of countries and aims: shares with intervals, unknown counted as unknown, reasons that hold the numbers."""

from datetime import date, timedelta

import numpy as np
import pytest

from muzikantas.analysis.aims import aim
from muzikantas.analysis.artists import Artists, read_artists
from muzikantas.analysis.countries import Entry, profile
from muzikantas.domain.errors import InputError

FIRST = date(2031, 3, 1)


def entries(days: int = 56, *, growing: bool = False, unknown: bool = False) -> list[Entry]:
    """Ten places: 6 pop by locals, 4 rock from abroad; later more pop if it grows."""
    found = []
    for day in range(days):
        pop = 6 + 2 * (growing and day >= days // 2)
        for place in range(10):
            is_pop = place < pop
            found.append(
                Entry(
                    day=FIRST + timedelta(days=day),
                    track=f"{place} in week {day // 7}",
                    artist=f"artist {place}",
                    genre=None if unknown and place == 9 else "pop" if is_pop else "rock",
                    home="ES" if is_pop else "US",
                    demand=1.0,
                )
            )
    return found


def test_shares_are_what_was_counted_and_add_up() -> None:
    found = profile(entries(unknown=True), "ES", np.random.default_rng(1))
    shares = {genre: numbers["share"] for genre, numbers in found["genres"].items()}
    assert shares == pytest.approx({"pop": 0.6, "rock": 0.3}, abs=0.03)
    assert found["unknown"]["share"] == pytest.approx(0.1, abs=0.03)
    assert all(n["low"] < n["share"] < n["high"] for n in found["genres"].values())
    assert found["local"]["share"] == pytest.approx(0.6, abs=0.03)


def test_growth_is_the_factor_of_the_share() -> None:
    found = profile(entries(growing=True), "ES", np.random.default_rng(1))["genres"]["pop"]["growth"]
    assert found["low"] < 8 / 6 < found["high"]


def test_a_week_that_brings_new_tracks_everywhere_refills_all_places() -> None:
    assert profile(entries(), "ES", np.random.default_rng(1))["turnover"]["share"] == 1.0


def test_more_tracks_make_the_interval_narrower() -> None:
    few, many = (
        profile(
            [
                Entry(day=FIRST, track=str(k), artist=str(k), genre="pop" if k % 2 else "rock", home=None, demand=1.0)
                for k in range(count)
            ],
            "ES",
            np.random.default_rng(1),
        )["genres"]["pop"]
        for count in (10, 200)
    )
    assert many["high"] - many["low"] < 0.4 * (few["high"] - few["low"])


def test_an_artist_aims_where_the_opening_is_wide_and_in_the_language_of_locals() -> None:
    rng = np.random.default_rng(2)
    profiles = {"ES": profile(entries(growing=True), "ES", rng), "US": profile(entries(days=56), "US", rng)}
    aims = aim(profiles, ["Rock", "pop"], "en", rng)
    assert (aims[0].country, aims[0].genre) == ("ES", "pop")
    assert aims[0].language == "es"
    assert aims[0].low < aims[0].opening < aims[0].high
    assert sum(each.chance_best for each in aims) == pytest.approx(1.0, abs=0.01)
    assert "%" in aims[0].reason


def test_a_genre_that_nobody_plays_has_no_aim() -> None:
    rng = np.random.default_rng(2)
    assert aim({"ES": profile(entries(), "ES", rng)}, ["polka"], "es", rng) == []


def test_a_line_of_names_is_its_longest_told_beginning() -> None:
    told = Artists({"Tyler": ("rock", None), "Tyler, The Creator": ("hip hop", "US"), "KAROL G": ("latin", "CO")})
    assert told.known("Tyler, The Creator, Kali Uchis").genre == "hip hop"
    assert told.known("Karol G & Shakira").home == "CO"
    assert told.known("Karol Gomez").genre is None
    assert told.known("Tyler, Somebody").genre == "rock"


def test_an_artist_file_is_read_strictly() -> None:
    rows = read_artists("artist,genre,country\nLena,pop,de\nX,,\n", "a.csv")
    assert [(row["artist"], row["genre"], row["country"]) for row in rows] == [("Lena", "pop", "DE"), ("X", None, None)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,genre\nLena,pop\n", "header is name, genre; expected artist, genre, country"),
        ("artist,genre,country\n,pop,DE\n", "line 2: the artist is empty"),
        ("artist,genre,country\nLena,pop,Germany\n", "line 2: country is 'Germany'"),
        ("artist,genre,country\nLena,pop,DE\nLena,rock,DE\n", "line 3: 'Lena' is told twice"),
        ("artist,genre,country\nTyler, The Creator,rap,US\n", "line 2: there are more cells"),
    ],
)
def test_a_broken_artist_file_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_artists(text, "a.csv")
