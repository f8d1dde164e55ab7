"""Promotion taken off outcomes: doses by arithmetic, effects on simulated labels, files read strictly."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from muzikantas.analysis.history import Array, Observation
from muzikantas.analysis.outcome import weight_of
from muzikantas.analysis.promotion import (
    LEAST,
    USUAL_SD,
    Effects,
    Promoted,
    correction,
    doses,
    learn_effects,
    promoted_days,
    usual_sizes,
)
from muzikantas.analysis.promotion_lines import about_tracks, read_promotions
from muzikantas.analysis.reports import BadHeader, BadLine, Unmatched
from muzikantas.analysis.songs import Roster, Song
from muzikantas.domain.promotion import Promotion
from muzikantas.domain.style import DIMENSIONS, Style, StyleSpace

DAY = date(2026, 3, 1)
SPACE = StyleSpace(("pop", "rock"), DIMENSIONS)
TRUE_EFFECT = 0.8


def placed(kind: str, first: int, last: int | None, size: float, currency: str = "") -> Promotion:
    end = None if last is None else DAY + timedelta(days=last)
    return Promotion(track=1, kind=kind, first=DAY + timedelta(days=first), last=end, size=size, currency=currency)


def dose(*promotions: Promotion) -> tuple[float, ...]:
    usual = {("playlist", ""): 1000.0, ("ad", "EUR"): 50.0, ("ad", "JPY"): 8000.0}
    return doses(promotions, {1: DAY}, usual, 7).get(1, (0.0, 0.0))


@pytest.mark.parametrize(
    ("promotion", "expected"),
    [
        (placed("playlist", 0, 6, 1000.0), (1.0, 0.0)),  # the usual size, all seven days
        (placed("playlist", -9, None, 3000.0), (2.0, 0.0)),  # log2(1 + 3)
        (placed("playlist", 0, 6, 0.0), (0.0, 0.0)),  # taken back
        (placed("playlist", 7, 20, 9000.0), (0.0, 0.0)),  # after the days that count
        (placed("ad", 0, 6, 50.0, "EUR"), (0.0, 1.0)),
        (placed("ad", 0, 6, 8000.0, "JPY"), (0.0, 1.0)),  # in its own currency's usual size
        (placed("ad", -7, 6, 100.0, "EUR"), (0.0, 1.0)),  # half of the money fell on these days
        (placed("ad", 0, 69, 500.0, "EUR"), (0.0, 1.0)),  # a tenth
    ],
)
def test_doses_are_sizes_on_the_days_that_count(promotion: Promotion, expected: tuple[float, float]) -> None:
    assert dose(promotion) == pytest.approx(expected)


def test_doses_of_one_kind_add_up_before_the_logarithm() -> None:
    assert dose(placed("playlist", 0, 6, 1000.0), placed("playlist", 0, 6, 2000.0)) == pytest.approx((2.0, 0.0))
    half = placed("playlist", 0, 3, 7000.0)  # four of the seven days
    assert dose(half) == pytest.approx((np.log2(5), 0.0))
    assert doses([half], {}, {}, 7) == {}


def test_the_usual_size_is_the_median_of_its_kind_and_currency() -> None:
    sizes = [placed("ad", 0, 1, size, "EUR") for size in (10.0, 0.0, 30.0, 5000.0)]
    assert usual_sizes([*sizes, placed("playlist", 0, 1, 7.0)]) == {("ad", "EUR"): 30.0, ("playlist", ""): 7.0}


def test_days_of_age_on_which_a_track_was_promoted() -> None:
    ran = promoted_days(
        [placed("playlist", -3, 1, 5.0), placed("ad", 4, 4, 1.0, "EUR"), placed("ad", 2, 3, 0.0, "EUR")], {1: DAY}, 28
    )
    assert np.flatnonzero(ran[1]).tolist() == [0, 1, 4]
    going = promoted_days([placed("playlist", 26, None, 5.0), placed("playlist", -9, -1, 5.0)], {1: DAY}, 28)
    assert np.flatnonzero(going[1]).tolist() == [26, 27]
    assert promoted_days([placed("ad", 0, 1, 5.0)], {2: DAY}, 28) == {}


def career(seed: int, releases: int, *, effect: float = TRUE_EFFECT, promoted: float = 0.5) -> Promoted:
    """Releases of no style that works, of which the loud ones are promoted much more often."""
    rng = np.random.default_rng(seed)
    seen, given = [], {}
    for number in range(1, releases + 1):
        style = Style(SPACE.genres[int(rng.integers(2))], tuple(rng.random(5)))
        amount = 0.0
        if rng.random() < promoted * 2 * style.values[1] ** 2:
            amount = float(np.log2(1 + np.exp(rng.normal(0, 0.7))))
            given[number] = (amount, 0.0)
        outcome = float(6 + effect * amount + rng.normal(0, 0.8))
        seen.append(Observation(cycle=number // 6, asked=style, realised=style, outcome=outcome, id=number))
    return Promoted(observations=seen, space=SPACE, doses=given)


def corrected(own: Promoted, effects: Effects) -> list[Observation]:
    off = {release: correction(amount, effects) for release, amount in own.doses.items()}
    return [
        replace(each, outcome=each.outcome - off[each.id].change, weight=weight_of(off[each.id].error))
        if each.id in off
        else each
        for each in own.observations
    ]


def slope(seen: list[Observation]) -> float:
    """Weighted least squares: what a reader would take energy for, from quiet to loud."""
    design = np.array([[1.0, *each.realised.values] for each in seen])
    weights: Array = np.array([each.weight for each in seen])
    outcomes = np.array([each.outcome for each in seen])
    return float(np.linalg.solve(design.T * weights @ design, design.T * weights @ outcomes)[2])


@pytest.mark.parametrize(("releases", "others"), [(40, 0), (24, 4)])
def test_most_of_the_bias_goes_where_promotion_follows_style(releases: int, others: int) -> None:
    before: list[float] = []
    after: list[float] = []
    found: list[float] = []
    for seed in range(30):
        own = career(seed, releases)
        effects = learn_effects(own, [career(1000 + 10 * seed + n, 40) for n in range(others)])
        before.append(slope(list(own.observations)))
        after.append(slope(corrected(own, effects)))
        found.append(float(effects.mean[0]))
    error = float(np.std(after) / np.sqrt(len(after)))
    bias = float(np.mean(before))
    assert bias > 0.4  # nothing works, and yet loud looks good
    assert abs(np.mean(after)) < 0.3 * bias + 2 * error
    assert abs(np.mean(after)) < 0.5 * bias
    assert np.mean(found) == pytest.approx(TRUE_EFFECT, abs=0.15)


def test_the_interval_of_the_effect_covers_the_truth() -> None:
    fits = [learn_effects(career(seed, 40), []) for seed in range(60)]
    off = [(each.mean[0] - TRUE_EFFECT) / np.sqrt(each.covariance[0, 0]) for each in fits]
    assert 0.88 <= np.mean(np.abs(off) < 1.96) <= 1.0


def test_the_label_teaches_an_artist_with_few_promoted_releases() -> None:
    own = career(3, 14, promoted=0.2)
    alone = learn_effects(own, [])
    taught = learn_effects(own, [career(50 + n, 60) for n in range(5)])
    assert taught.covariance[0, 0] < 0.6 * alone.covariance[0, 0]
    assert abs(taught.mean[0] - TRUE_EFFECT) < 0.3
    assert taught.promoted[0] > 5 * LEAST
    assert alone.covariance[1, 1] == pytest.approx(USUAL_SD**2 + 0.3**2, rel=0.05)  # no advertisement anywhere


def test_with_too_few_promoted_releases_only_the_weight_falls() -> None:
    own = career(1, 40)
    few = dict(list(own.doses.items())[: LEAST - 1])
    effects = learn_effects(replace(own, doses=few), [])
    off = correction((1.0, 0.0), effects)
    assert off.change == 0.0
    assert off.error == pytest.approx(USUAL_SD)
    assert weight_of(off.error) < 0.6
    assert off.reason.startswith(f"playlist: {LEAST - 1} heard releases with playlist and")
    assert "too few" in off.reason
    enough = correction((1.0, 0.0), learn_effects(own, []))
    assert enough.change > 0.4
    assert enough.error < USUAL_SD
    assert "streams divided by" in enough.reason


def test_both_kinds_at_once_are_told_apart_in_the_reason() -> None:
    effects = Effects(mean=np.array([0.5, 0.2]), covariance=np.diag([0.04, 0.09]), promoted=(9, 2), others=(20, 27))
    off = correction((1.0, 2.0), effects)
    assert off.change == pytest.approx(0.5)
    assert off.error == pytest.approx(np.sqrt(0.04 + (2 * USUAL_SD) ** 2))
    assert off.reason.startswith("playlist and ad: streams divided by 1.65")
    assert "2 heard releases with ad and 27 without are too few" in off.reason


def test_nothing_heard_leaves_the_belief() -> None:
    found = learn_effects(Promoted(observations=[], space=SPACE, doses={}), [])
    assert found.mean.tolist() == [0.0, 0.0]
    assert not found.enough(0)


HEADER = "track,isrc,title,kind,name,from,to,size,currency\n"
SONGS = (Song(id=1, isrc="LTABC2600001", title="One"), Song(id=2, isrc=None, title="Two"))


def lines(*cells: str) -> list[dict[str, object] | BadLine]:
    return list(about_tracks(read_promotions(HEADER + "\n".join(cells) + "\n"), Roster(SONGS)))


def test_lines_become_rows() -> None:
    playlist, ad = lines(
        ",lt-abc-26-00001,,Playlist,Night Drive,2026-03-01,,12000,", ",,two,ad,,2026-03-02,2026-03-09,150.00,eur"
    )
    assert playlist == {
        "track_id": 1,
        "kind": "playlist",
        "name": "Night Drive",
        "first_day": date(2026, 3, 1),
        "last_day": None,
        "followers": 12000,
        "spent_micros": None,
        "currency": None,
    }
    assert isinstance(ad, dict)
    assert (ad["track_id"], ad["spent_micros"], ad["currency"]) == (2, 150_000_000, "EUR")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("1,,,radio,,2026-03-01,,5,", "kind is 'radio'; expected playlist or ad"),
        ("1,,,ad,,2026-03-01,,5,EUR", "to is empty; expected the last day"),
        ("1,,,playlist,,2026-03-02,2026-03-01,5,", "to is 2026-03-01, before from, 2026-03-02"),
        ("1,,,playlist,,1 March,,5,", "from is '1 March'; expected a day"),
        ("1,,,playlist,,2026-03-01,,many,", "size is 'many'; expected a whole number"),
        ("1,,,playlist,,2026-03-01,,5,EUR", "the size of a playlist is its followers"),
        ("1,,,ad,,2026-03-01,2026-03-02,5,", "currency is ''; expected three letters"),
        ("1,,,ad,,2026-03-01,2026-03-02,-5,EUR", "size is '-5'; expected the money spent"),
        ("1,,,ad,,2026-03-01,2026-03-02,much,EUR", "size is 'much'; expected the money spent"),
        ("1,,,ad,,2026-03-01", "6 fields; the header has 9"),
        (f"1,,,playlist,{'x' * 201},2026-03-01,,5,", "expected at most 200 characters"),
    ],
)
def test_a_wrong_line_is_named_with_what_was_expected(cells: str, reason: str) -> None:
    (bad,) = lines(cells)
    assert isinstance(bad, BadLine)
    assert bad.line == 2
    assert reason in bad.reason


def test_strangers_and_repetitions_are_wrong_lines() -> None:
    first, again, stranger = lines(
        "1,,,playlist,A,2026-03-01,,5,", ",,One,playlist,A,2026-03-01,,6,", ",,Three,playlist,A,2026-03-01,,5,"
    )
    assert isinstance(first, dict)
    assert again == BadLine(line=3, reason="line 2 has the same track, kind, name and first day")
    assert isinstance(stranger, Unmatched)


@pytest.mark.parametrize(
    "header", ["title,kind,from,to", "kind,from,to,size", "title,kind,kind,from,to,size", '"title']
)
def test_a_header_that_cannot_be_used_is_the_only_line(header: str) -> None:
    (bad,) = read_promotions(f"{header}\nOne,playlist,2026-03-01,,5\n")
    assert isinstance(bad, BadHeader)
