"""The sandbox's writer: it fills schemas from the data of a prompt, varied a little."""

import json
from typing import Any

import pytest

from muzikantas.sandbox.writer import Writer

TEXT = {"type": "string"}


def _filled(properties: dict[str, Any], data: dict[str, Any], said: str = "", **schema: Any) -> dict[str, Any]:
    writer = Writer(f"{said} Earlier {{}}. Now: {json.dumps(data)}. Thank you.", seed=7)
    return dict(writer.fill({"type": "object", "properties": properties} | schema))


def test_prose_is_changed_but_keeps_its_beginning() -> None:
    persona = "Vela sings of harbours. She works at night."

    varied = {_filled({"persona": TEXT}, {"artist": {"persona": persona}}, said)["persona"] for said in "abcdef"}

    assert len(varied) > 1
    assert all(text.startswith(persona[:24]) and text != persona for text in varied)


@pytest.mark.parametrize(
    "template",
    ["{genre}, {tempo} bpm, {energy}", "A {genre} song by {artist}. Keep {mood}. Use {key}. End on {word}. Plain."],
)
def test_placeholders_of_a_template_are_never_lost(template: str) -> None:
    for said in "abcdefgh":
        text = _filled({"template": TEXT}, {"template": template}, said)["template"]
        assert all(word in text for word in template.split() if word.startswith("{") and word.endswith("}"))


def test_a_text_never_exceeds_its_maximum() -> None:
    data = {"persona": "Vela sings of harbours.", "title": "x"}
    filled = _filled({name: TEXT | {"maxLength": 25} for name in ("persona", "title", "why", "lyrics")}, data)

    assert all(0 < len(text) <= 25 for text in filled.values())


@pytest.mark.parametrize("known", [0.0, 0.5, 0.99])
def test_a_number_moves_by_at_most_a_twentieth_within_its_bounds(known: float) -> None:
    energy = _filled({"energy": {"type": "number", "minimum": 0, "maximum": 1}}, {"energy": known})["energy"]

    assert 0 <= energy <= 1
    assert abs(energy - known) <= 0.05


def test_lists_of_titles_follow_the_count_and_other_lists_the_data() -> None:
    strings = {"type": "array", "items": TEXT}
    filled = _filled({"titles": strings, "words": strings}, {"count": 9, "words": ["rain", "sea"]})

    assert len(set(filled["titles"])) == 9
    assert filled["words"] == ["rain", "sea"]


def test_references_alternatives_and_choices_are_followed() -> None:
    step = {
        "type": "object",
        "properties": {
            "mood": {"type": "string", "enum": ["hopeful", "wistful"]},
            "note": {"anyOf": [{"type": "null"}, TEXT]},
            "bars": {"type": "integer", "minimum": 2, "maximum": 6},
            "live": {"type": ["boolean", "null"]},
        },
    }
    filled = _filled({"next": {"$ref": "#/definitions/Step"}}, {"live": True}, definitions={"Step": step})["next"]

    assert filled["mood"] in {"hopeful", "wistful"}
    assert isinstance(filled["note"], str)
    assert filled["bars"] == 4
    assert filled["live"] is True


def test_lyrics_have_named_sections() -> None:
    lyrics = _filled({"lyrics": TEXT}, {})["lyrics"]

    assert lyrics.count("[Chorus]") == 3
    assert lyrics.startswith("[Verse 1]")
