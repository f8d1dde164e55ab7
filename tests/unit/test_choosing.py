"""The better take: what a fault, a repetition, obedience and the catalogue each may and may not decide."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from muzikantas.analysis.choosing import (
    ENOUGH_PAIRS,
    FAR_SHORTER,
    FINEST,
    LOUDNESS_LUFS,
    NEARLY,
    NEW,
    REPEATS,
    Choice,
    better_take,
    usual_misses,
)
from muzikantas.analysis.obedience import SCATTER
from muzikantas.domain.features import Features
from muzikantas.domain.style import BRIGHTNESS_HZ, DIMENSIONS, Style, heard, tempo_bpm

GENRE = "house"
MIDDLE = (0.5,) * len(DIMENSIONS)

values = st.tuples(*[st.floats(0.05, 0.95)] * len(DIMENSIONS))
loudness = st.sampled_from([-60.0, -46.0, -44.0, -14.0, -4.5, -3.0, 2.0])
duration = st.sampled_from([20.0, 60.0, 119.0, 121.0, 240.0])


def sounding(place: tuple[float, ...], *, loudness_lufs: float = -14.0, duration_s: float = 120.0) -> Features:
    """Features that the style space hears at `place`."""
    tempo, energy, brightness, valence, percussiveness = place
    dark, bright = BRIGHTNESS_HZ
    return Features(
        extractor="planted/1",
        duration_s=duration_s,
        tempo_bpm=tempo_bpm(tempo),
        tempo_confidence=1.0,
        key="A",
        mode="minor",
        key_confidence=1.0,
        loudness_lufs=loudness_lufs,
        energy=energy,
        brightness_hz=dark * (bright / dark) ** brightness,
        onset_rate_hz=2.0,
        danceability=0.5,
        valence=valence,
        percussive_ratio=percussiveness,
        tempo_candidates=(),
        beat_times_s=(),
        beat_steadiness=1.0,
        key_runner_up=("E", "minor"),
        tuning_cents=0.0,
        loudness_range_lu=5.0,
        true_peak_dbtp=-1.0,
        contrast_db=(20.0,) * 7,
        arousal=0.5,
        section_bounds_s=(),
        section_confidence=0.0,
        repetition_share=0.5,
        timbre=(0.0,) * 40,
        silence_start_s=0.0,
        silence_end_s=0.0,
        clipped_share=0.0,
        clipped_runs=0,
        missing_share=0.0,
    )


def moved(k: int, by: float, start: tuple[float, ...] = MIDDLE) -> tuple[float, ...]:
    return tuple(value + by * (i == k) for i, value in enumerate(start))


def style(place: tuple[float, ...], genre: str = GENRE) -> Style:
    return Style(genre, place)


def track(
    realised: tuple[float, ...], asked: tuple[float, ...] | None = None, genre: str = GENRE
) -> tuple[Style, Style]:
    return style(asked or realised, genre), style(realised, genre)


def judgement(choice: Choice) -> list[str]:
    """What the reason tells of the chosen take: its miss and its distance, without a fault."""
    return choice.reason.split(": ", 1)[1].split("; ")[0].split(", ")[:2]


takes = st.lists(st.builds(sounding, values, loudness_lufs=loudness, duration_s=duration), min_size=1, max_size=4)
catalogues = st.lists(st.builds(track, values, values), max_size=12)


def test_the_planted_features_are_heard_where_they_were_planted() -> None:
    place = (0.2, 0.3, 0.4, 0.6, 0.7)
    assert heard(sounding(place), GENRE).values == pytest.approx(place)


@given(values, st.floats(-0.4, 0.4), st.floats(1.5, 2.0))
def test_without_a_history_the_take_nearer_in_plain_distance_wins(
    asked: tuple[float, ...], miss: float, times: float
) -> None:
    """The take that misses by more in every dimension loses, by however much both miss."""
    step = math.copysign(max(abs(miss), 0.11), miss)
    near = replace(sounding(asked), energy=asked[1] + step, valence=asked[3] + step)
    far = replace(sounding(asked), energy=asked[1] + times * step, valence=asked[3] + times * step)
    assert better_take(style(asked), [far, near], []).index == 1
    assert better_take(style(asked), [near, far], []).index == 0


@given(values, takes, catalogues)
def test_the_order_of_takes_matters_for_equals_only(
    asked: tuple[float, ...], these: list[Features], catalogue: list[tuple[Style, Style]]
) -> None:
    forth = better_take(style(asked), these, catalogue)
    back = better_take(style(asked), these[::-1], catalogue)
    if these[forth.index] != these[::-1][back.index]:
        assert judgement(forth) == judgement(back)
    assert better_take(style(asked), these, catalogue[::-1]).index == forth.index


@given(values, values, st.integers(2, 4))
def test_of_equal_takes_the_first_wins(asked: tuple[float, ...], place: tuple[float, ...], count: int) -> None:
    assert better_take(style(asked), [sounding(place)] * count, [track(place)]).index == 0


@given(values, st.builds(sounding, values, loudness_lufs=loudness, duration_s=duration), catalogues)
def test_a_single_take_is_chosen_whatever_it_is(
    asked: tuple[float, ...], take: Features, catalogue: list[tuple[Style, Style]]
) -> None:
    choice = better_take(style(asked), [take], catalogue)
    assert choice.index == 0
    assert choice.reason.startswith("the only take: ")


@given(values, takes, catalogues)
def test_a_silent_or_clipped_take_never_wins_over_one_that_is_neither(
    asked: tuple[float, ...], these: list[Features], catalogue: list[tuple[Style, Style]]
) -> None:
    low, high = LOUDNESS_LUFS
    chosen = these[better_take(style(asked), these, catalogue).index]
    audible = [take for take in these if low <= take.loudness_lufs <= high]
    assert chosen in audible or not audible


@given(values, values, st.floats(0.05, FAR_SHORTER - 0.01))
def test_a_take_that_broke_off_loses_even_to_a_disobedient_repetition(
    asked: tuple[float, ...], place: tuple[float, ...], share: float
) -> None:
    broken = sounding(asked, duration_s=200 * share)
    whole = sounding(place, duration_s=200)
    choice = better_take(style(asked), [broken, whole], [track(place)])
    assert choice.index == 1
    assert "broken off" in choice.reason


def test_a_long_silence_does_not_make_its_sibling_look_broken_off() -> None:
    silent = sounding(MIDDLE, loudness_lufs=-55, duration_s=240)
    sound = sounding(moved(1, 0.4), duration_s=60)
    choice = better_take(style(MIDDLE), [silent, sound], [])
    assert choice.index == 1
    assert "broken off" not in choice.reason
    assert "nearly silent at -55.0 LUFS" in choice.reason


@given(values, values)
def test_a_repetition_loses_to_a_take_that_is_new(asked: tuple[float, ...], other: tuple[float, ...]) -> None:
    """The one that repeats is exactly what was asked; the other is anywhere, but not at the same place."""
    assume(math.dist(asked, other) > REPEATS * math.sqrt(len(asked)) + 1e-6)
    assert better_take(style(asked), [sounding(asked), sounding(other)], [track(asked)]).index == 1
    assert better_take(style(asked), [sounding(other), sounding(asked)], [track(asked)]).index == 0


def test_where_all_takes_repeat_obedience_decides() -> None:
    near, far = moved(1, 0.2), moved(1, 0.3)
    choice = better_take(style(MIDDLE), [sounding(far), sounding(near)], [track(near), track(far)])
    assert choice.index == 1


@given(values, takes, st.lists(values, max_size=20))
def test_tracks_of_another_genre_are_no_repetition(
    asked: tuple[float, ...], these: list[Features], others: list[tuple[float, ...]]
) -> None:
    elsewhere = [track(place, genre="ambient") for place in others]  # as asked: nothing is learnt but obedience
    alone = better_take(style(asked), these, [])
    among = better_take(style(asked), these, elsewhere)
    assert among.index == alone.index


@given(takes, st.integers(1, ENOUGH_PAIRS - 1))
def test_a_catalogue_far_away_changes_nothing(these: list[Features], count: int) -> None:
    """All takes lie in the lower half of the tempo scale, the catalogue at its end: at least `NEW` from each."""
    slow = [replace(take, tempo_bpm=tempo_bpm(0.5 * i / len(these))) for i, take in enumerate(these)]
    assert 0.5 / math.sqrt(len(DIMENSIONS)) > NEW
    far = [track(moved(0, 0.5))] * count
    assert better_take(style(MIDDLE), slow, far).index == better_take(style(MIDDLE), slow, []).index


@pytest.mark.parametrize(("behind", "chosen"), [(0.8, 1), (1.2, 0)])
def test_the_catalogue_breaks_near_ties_in_obedience_and_no_others(behind: float, chosen: int) -> None:
    """Take 0 is a little more obedient and lies near an earlier track; `behind` is by how much, in `NEARLY`."""
    unit = SCATTER * math.sqrt(len(DIMENSIONS))  # one usual miss, when only one dimension is missed
    first, second = moved(3, -unit), moved(3, unit * (1 + NEARLY * behind))
    earlier = track(moved(3, -unit - 0.05))
    choice = better_take(style(MIDDLE), [sounding(first), sounding(second)], [earlier])
    assert choice.index == chosen
    assert ("farther from earlier tracks" in choice.reason) == (chosen == 1)
    assert better_take(style(MIDDLE), [sounding(first), sounding(second)], []).index == 0


def test_beyond_new_the_catalogue_breaks_no_tie() -> None:
    """The second take is as good as equal in obedience and the farther one, but both are new."""
    near, far = moved(0, -0.01), moved(0, -0.02)
    earlier = [track(moved(0, 0.4))]
    assert 0.4 / math.sqrt(len(DIMENSIONS)) > NEW
    assert better_take(style(MIDDLE), [sounding(near), sounding(far)], earlier).index == 0


def test_a_tempo_heard_in_another_octave_is_no_miss() -> None:
    octave = 1 / math.log2(3)  # the scale runs from 60 to 180 bpm
    asked = style((0.2, *MIDDLE[1:]))
    double, missed = sounding((0.2 + octave, *MIDDLE[1:])), sounding((0.3, *MIDDLE[1:]))
    assert better_take(asked, [missed, double], []).index == 1


def test_a_dimension_that_is_usually_missed_weighs_less() -> None:
    """The generator plays energy as it likes and keeps the tempo: a small miss of tempo is the graver one."""
    history = [track(moved(1, 0.3 * (-1) ** i, moved(0, 0.02)), asked=MIDDLE) for i in range(ENOUGH_PAIRS)]
    slow, tame = sounding(moved(0, -0.1)), sounding(moved(1, -0.15))
    assert better_take(style(MIDDLE), [tame, slow], history[1:]).index == 1
    assert better_take(style(MIDDLE), [tame, slow], history).index == 0


@given(st.lists(values, min_size=ENOUGH_PAIRS, max_size=30), values, values, st.floats(0.2, 1.0))
def test_the_unit_of_a_dimension_does_not_matter_once_the_generator_is_known(
    realised: list[tuple[float, ...]], one: tuple[float, ...], two: tuple[float, ...], factor: float
) -> None:
    """Shrink every miss of one dimension, past and present: the same take wins."""

    def shrunk(place: tuple[float, ...]) -> tuple[float, ...]:
        return (place[0], 0.5 + factor * (place[1] - 0.5), *place[2:])

    def pick(places: list[tuple[float, ...]], past: list[tuple[float, ...]]) -> int:
        pairs = [(style(MIDDLE, "ambient"), style(place, "ambient")) for place in past]
        return better_take(style(MIDDLE), [sounding(place) for place in places], pairs).index

    assume(max(abs(place[0] - MIDDLE[0]) for place in (one, two)) < 0.3)  # farther off is another octave of the tempo
    usual = usual_misses([track(place, asked=MIDDLE) for place in realised])
    assume(min(usual) > FINEST and factor * usual[1] > FINEST)
    misses = [math.hypot(*((np.array(place) - MIDDLE) / usual)) / math.sqrt(len(usual)) for place in (one, two)]
    assume(abs(misses[0] - misses[1]) > 1e-6)  # equals may fall either way by rounding
    chosen = pick([one, two], realised)
    assert chosen == int(misses[1] < misses[0])
    assert pick([shrunk(one), shrunk(two)], [shrunk(place) for place in realised]) == chosen


def test_usual_misses_are_the_root_mean_square_and_never_nothing() -> None:
    gaps = [0.3, -0.1] * (ENOUGH_PAIRS // 2)
    pairs = [track(moved(2, gap), asked=MIDDLE) for gap in gaps]
    assert usual_misses(pairs) == pytest.approx([FINEST, FINEST, math.sqrt(0.05), FINEST, FINEST])
    assert usual_misses(pairs[1:]) == pytest.approx([SCATTER] * len(DIMENSIONS))


def test_the_reason_is_one_line_with_the_numbers_of_every_take() -> None:
    unit = SCATTER * math.sqrt(len(DIMENSIONS))
    these = [sounding(moved(3, 2 * unit)), sounding(moved(3, unit)), sounding(MIDDLE, loudness_lufs=0.5)]
    choice = better_take(style(MIDDLE), these, [])
    assert choice.index == 1
    assert choice.reason == (
        "the closest to what was asked: 1.00 usual misses from what was asked, the first of its genre; "
        "the other: 2.00 usual misses from what was asked, the first of its genre; "
        "the other: 0.00 usual misses from what was asked, the first of its genre, cut off at full scale: 0.5 LUFS"
    )
