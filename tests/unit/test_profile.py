"""An artist's profile: possible corridors, and evolutions that stay inside their bounds."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from muzikantas.domain.errors import Refused
from muzikantas.domain.profile import DEFAULT_TEMPLATE, TRAIT_STEP, Bounds, Profile, check_template

PERSONA = "Quiet in interviews, exact in the studio, and never twice the same. Sings of roads and rivers."


def profile(**changes: Any) -> Profile:
    values: dict[str, Any] = {
        "persona": PERSONA,
        "personality": {"warmth": 0.5, "boldness": 0.2},
        "corridor": {"dream pop": Bounds(tempo_bpm=(80, 120), energy=(0.2, 0.6))},
    }
    return Profile(**{**values, **changes})


def test_the_corridor_becomes_a_style_space_with_tempo_on_a_ratio_scale() -> None:
    (slow, fast), energy, *others = profile().space().ranges("dream pop")
    assert slow == pytest.approx(math.log(80 / 60) / math.log(3))
    assert fast == pytest.approx(math.log(120 / 60) / math.log(3))
    assert energy == (0.2, 0.6)
    assert others == [(0.0, 1.0)] * 3


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"energy": (0.7, 0.3)}, r"energy is \[0.7, 0.3\]; expected low <= high"),
        ({"tempo_bpm": (40, 120)}, r"tempo_bpm is \[40, 120\]; expected low <= high, both from 60 to 180"),
        ({"valence": (0.2, 1.3)}, "valence is"),
        ({"brightness": (0.5, 0.52)}, "brightness leaves no room"),
        ({"loudness": (0, 1)}, "Extra inputs are not permitted"),
    ],
)
def test_an_impossible_corridor_is_refused_by_name(bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Bounds(**bounds)


def test_an_evolution_inside_the_bounds_is_a_new_value() -> None:
    old = profile()
    new = old.evolved(
        persona=PERSONA + " Lately of bridges.", personality={"warmth": 0.6, "boldness": 0.2}, chapter="A bridge."
    )
    assert new.personality["warmth"] == 0.6
    assert new.backstory == "A bridge."
    assert new.corridor == old.corridor
    assert old.backstory == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"persona": "An entirely different creature, loud and tireless and quite unlike the last."},
            "of the old text",
        ),
        ({"persona": " "}, "empty"),
        ({"personality": {"warmth": 0.5}}, "appeared or vanished: boldness"),
        ({"personality": {"warmth": 0.9, "boldness": 0.2}}, r"warmth moves by \+0.40"),
        ({"persona": PERSONA * 20}, "at most 1500|keeps"),
    ],
)
def test_an_evolution_past_a_bound_is_refused(changes: dict[str, Any], message: str) -> None:
    values: dict[str, Any] = {"persona": PERSONA, "personality": {"warmth": 0.5, "boldness": 0.2}, "chapter": ""}
    with pytest.raises(Refused, match=message):
        profile().evolved(**{**values, **changes})


@given(st.floats(0, 1), st.floats(-1, 1))
def test_no_trait_ever_moves_further_than_a_step(start: float, step: float) -> None:
    old = profile(personality={"warmth": start})
    try:
        new = old.evolved(persona=PERSONA, personality={"warmth": start + step}, chapter="")
    except Refused:
        return
    assert abs(new.personality["warmth"] - start) <= TRAIT_STEP + 1e-6
    assert 0 <= new.personality["warmth"] <= 1


@pytest.mark.parametrize(
    "template",
    [
        DEFAULT_TEMPLATE.replace("{tempo}", ""),
        DEFAULT_TEMPLATE + " {genre}",
        DEFAULT_TEMPLATE + " {artist}",
        DEFAULT_TEMPLATE + " {",
        DEFAULT_TEMPLATE.replace("{tempo}", "{tempo!r}"),
        DEFAULT_TEMPLATE.replace("{tempo}", "{tempo.__class__}"),
        DEFAULT_TEMPLATE + "x" * 400,
    ],
)
def test_a_template_with_other_placeholders_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="style template"):
        check_template(template)
    with pytest.raises(Refused):
        profile().adapted(style_template=template, negative_tags="")
