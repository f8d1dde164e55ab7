"""Licences of sources: what is documented, what an operator may say, and what they leave of rows and names."""

import pytest

from muzikantas.analysis.licences import analysable, market_of, shown_name
from muzikantas.domain.errors import InputError
from muzikantas.domain.licence import Licences, licences


def test_the_documented_rights() -> None:
    words = {licence.source: licence.in_words() for licence in Licences().all()}
    assert words == {
        "distributor": "store+analyse+llm",
        "operator": "store+analyse+llm",
        "own": "store+analyse+llm",
        "positions": "store+analyse",
        "spotify": "store+analyse",
        "spotify-api": "store",
    }
    assert all(licence.terms for licence in Licences().all())


def test_an_operator_overrides_what_is_named_and_nothing_else() -> None:
    rights = licences(["spotify=none", "mine=store+llm"])
    assert rights.of("spotify").in_words() == "none"
    assert rights.of("mine").in_words() == "store+llm"
    assert rights.of("positions").in_words() == "store+analyse"


def test_a_source_that_nobody_named_may_do_nothing() -> None:
    assert Licences().of("elsewhere").in_words() == "none"
    with pytest.raises(InputError, match=r"elsewhere.*SOURCES=elsewhere=store"):
        Licences().check_store("elsewhere")


@pytest.mark.parametrize("entry", ["spotify", "spotify=", "=store", "spotify=store+fly"])
def test_a_word_that_is_no_right_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="expected source=right"):
        licences([entry])


def test_rows_states_and_names_follow_their_source() -> None:
    rights = licences(["spotify=none", "positions=store+analyse", "mine=store+analyse+llm"])
    rows = [{"source": "spotify", "n": 1}, {"source": "positions", "n": 2}]
    assert [row["n"] for row in analysable(rows, rights)] == [2]
    states = {"spotify:regional-weekly:GLOBAL": {"entries": 200}, "positions:top50-daily:ES": {"entries": 50}}
    assert list(market_of(states, rights)) == ["positions:top50-daily:ES"]
    assert shown_name("Canary", ["mine"], 3, rights) == "Canary"
    assert shown_name("Canary", ["mine", "positions"], 3, rights) == "artist 3"
