"""Diffs, previews and charts: nothing is lost, nothing is drawn outside, everything is escaped."""

import base64
import io
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.analysis.claims import Effect
from muzikantas.clients.store import AudioStore
from muzikantas.domain.profile import Bounds, Profile
from muzikantas.report import charts, clips, curve, persona
from muzikantas.report.diff import Piece, shortened, word_diff
from muzikantas.report.view import Habit

WORDS = st.lists(st.sampled_from(["night", "music", "for,", "empty", "highways.", "four-track"]), max_size=25)
PROFILE = Profile(persona="writes night music for empty highways", corridor={"synthwave": Bounds()})


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_diff_holds_the_new_text_whole(before: str, now: str) -> None:
    pieces = word_diff(before, now)

    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == now


@given(WORDS, WORDS)
def test_a_diff_holds_the_words_of_the_old_text(before: list[str], now: list[str]) -> None:
    pieces = word_diff(" ".join(before), " ".join(now))

    old = "".join(piece.text for piece in pieces if piece.kind != "new")
    assert "".join(old.split()) == "".join(before)


def test_equal_texts_have_no_change() -> None:
    assert {piece.kind for piece in word_diff("one two", "one two")} == {"same"}
    assert word_diff("", "") == ()


@given(WORDS, WORDS, st.integers(1, 30))
def test_shortening_keeps_every_change_and_never_lengthens(before: list[str], now: list[str], around: int) -> None:
    pieces = word_diff(" ".join(before), " ".join(now))

    short = shortened(pieces, around=around)

    assert [piece for piece in short if piece.kind != "same"] == [piece for piece in pieces if piece.kind != "same"]
    assert all(len(b.text) <= len(a.text) for a, b in zip(pieces, short, strict=True))


def test_a_version_names_what_changed_and_nothing_else() -> None:
    evolved = PROFILE.model_copy(update={"persona": "writes late night music for empty highways"})

    (change,) = persona.text_changes(PROFILE, evolved)

    assert change.name == "Persona"
    assert Piece("new", "late ") in change.pieces
    assert persona.trait_changes(PROFILE, evolved) == ()


def test_the_learning_curve_draws_each_track_and_each_mean() -> None:
    measured = curve.measure([(1, 4.0), (1, 6.0), (2, 5.0), (4, 9.0)])

    picture = ET.fromstring(charts.learning_curve(measured, 'a "label" <b>', width=350, height=300))  # noqa: S314 (ours)

    circles = picture.findall(".//circle")
    assert picture.get("aria-label") == 'a "label" <b>'
    assert sum(c.get("class") == "track" for c in circles) == 4
    means = [c for c in circles if c.get("class") == "mean-dot"]
    # The means are 5, 5 and 9: equal ones stand equally high, a better one higher (smaller y).
    heights = [float(c.get("cy", "nan")) for c in means]
    assert heights[0] == heights[1] > heights[2]
    assert all(0 <= float(c.get("cx", "nan")) <= 350 and 0 <= float(c.get("cy", "nan")) <= 300 for c in circles)


@given(st.floats(0.01, 12), st.floats(0.1, 6))
def test_an_axis_names_only_streams_that_are_on_it(low: float, span: float) -> None:
    ticks = charts.stream_ticks(low, low + span)

    assert ticks == sorted(set(ticks))
    assert all(low <= math.log1p(n) <= low + span for n in ticks)


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=8))
def test_every_interval_fits_the_common_axis(values: list[float]) -> None:
    effects = [Effect("tempo", v, v - 0.5, v + 0.5, 0.5, 9, "not enough data") for v in values]

    reach = charts.effect_reach(effects)

    ticks = charts.effect_ticks(reach)
    assert ticks[0][0] == 0
    assert ticks[-1][0] == 100
    assert (50.0, "×1") in [(round(place, 6), text) for place, text in ticks]  # noqa: RUF001 (the sign for times)
    for effect in effects:
        lines = ET.fromstring(charts.interval(effect, reach)).findall("line")  # noqa: S314 (ours)
        ends = [float(line.get(name, "nan")) for line in lines for name in ("x1", "x2")]
        assert all(0 <= end <= 100 for end in ends)


def test_an_obedient_track_lies_on_the_diagonal() -> None:
    habit = Habit(dimension="tempo", pairs=((0.0, 0.0), (0.3, 0.3), (1.0, 1.0)), bias=0.0, spread=0.0)

    dots = ET.fromstring(charts.scatter(habit)).findall("circle")  # noqa: S314 (ours)

    sums = {round(float(d.get("cx", "nan")) + float(d.get("cy", "nan")), 6) for d in dots}
    assert sums == {charts.SQUARE}


def test_previews_are_short_and_missing_ones_say_why(tmp_path: Path) -> None:
    store = AudioStore(str(tmp_path))
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(44100 * 20) / 20), 44100, format="WAV")
    good, broken = store.put(file.getvalue(), ".wav"), store.put(b"no music", ".mp3")

    found = clips.cut(store, [good, broken, "0" * 64 + ".mp3"], most_chars=clips.MOST_CHARS)

    sound = base64.b64decode((found[good].uri or "").removeprefix("data:audio/mpeg;base64,"))
    assert soundfile.info(io.BytesIO(sound)).duration == pytest.approx(clips.SECONDS, abs=0.2)
    assert found[broken].uri is None
    assert "no audio" in found[broken].missing
    assert "no longer holds" in found["0" * 64 + ".mp3"].missing


def test_a_page_full_of_sound_leaves_the_rest_out(tmp_path: Path) -> None:
    store = AudioStore(str(tmp_path))
    keys = []
    for pitch in (20, 30):
        file = io.BytesIO()
        soundfile.write(file, 0.1 * np.sin(np.arange(44100) / pitch), 44100, format="WAV")
        keys.append(store.put(file.getvalue(), ".wav"))

    found = clips.cut(store, keys, most_chars=1)

    assert found[keys[0]].uri
    assert found[keys[1]].missing == "left out, to keep this page small"
