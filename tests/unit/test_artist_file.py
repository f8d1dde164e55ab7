"""An operator's file: the example is whole, and everything wrong is named by line and field."""

from pathlib import Path

import pytest
import yaml

from muzikantas.cli.artist_example import EXAMPLE
from muzikantas.cli.artist_file import ArtistFile, read_artist
from muzikantas.domain.errors import InputError

SMALLEST = """\
name: Test Artist
language: en
countries: [LT]
persona: A voice that nobody has heard before.
corridor:
  techno:
    tempo_bpm: [120, 140]
"""


def read(folder: Path, text: str) -> ArtistFile:
    path = folder / "artist.yaml"
    path.write_text(text, encoding="utf-8")
    return read_artist(path)


def test_example_is_a_whole_file(tmp_path: Path) -> None:
    artist = read(tmp_path, EXAMPLE)

    assert set(yaml.safe_load(EXAMPLE)) == set(ArtistFile.model_fields)
    assert artist.corridor["dream pop"].tempo_bpm == (80, 120)
    assert artist.budget.usd_a_month.in_micros() == {"soft": 4_000_000, "hard": 5_000_000}
    assert artist.profile().space().genres == ("dream pop", "synthwave")


def test_what_the_example_calls_default_is_the_default(tmp_path: Path) -> None:
    example, smallest = read(tmp_path, EXAMPLE), read(tmp_path, SMALLEST)

    for name in ("voice", "style_template", "negative_tags", "slots", "policy", "release_rule"):
        assert getattr(example, name) == getattr(smallest, name)
    assert smallest.cycle_every_days is None
    assert all(limits == {"soft": None, "hard": None} for _, _, limits in smallest.budget.limits())


def test_seed_that_nobody_gave_follows_from_the_name(tmp_path: Path) -> None:
    one = read(tmp_path, SMALLEST).columns()
    other = read(tmp_path, SMALLEST.replace("Test", "Other")).columns()

    assert one == read(tmp_path, SMALLEST).columns()
    assert one["seed"] != other["seed"]


def test_norway_is_a_country_and_dates_are_text(tmp_path: Path) -> None:
    artist = read(tmp_path, SMALLEST.replace("[LT]", "[NO]").replace("Test Artist", "1999-12-31"))

    assert list(artist.countries) == ["NO"]
    assert artist.name == "1999-12-31"


def test_dollars_are_exact(tmp_path: Path) -> None:
    artist = read(tmp_path, f"{SMALLEST}budget: {{usd_a_month: {{soft: 0.1, hard: '12.345678'}}}}\n")

    assert artist.budget.usd_a_month.in_micros() == {"soft": 100_000, "hard": 12_345_678}


def test_months_and_cycles_have_limits_of_their_own(tmp_path: Path) -> None:
    artist = read(tmp_path, f"{SMALLEST}budget: {{credits_a_cycle: {{soft: 3}}, usd_a_cycle: {{hard: 0.25}}}}\n")

    given = {(unit, template): limits for unit, template, limits in artist.budget.limits()}
    assert given == {
        ("credits", "default"): {"soft": None, "hard": None},
        ("usd_micros", "default"): {"soft": None, "hard": None},
        ("credits", "cycle"): {"soft": 3, "hard": None},
        ("usd_micros", "cycle"): {"soft": None, "hard": 250_000},
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("name: Test Artist", "name: 12", 1, "name: found 12"),
        ("name: Test Artist", "name: '12'", 1, "name: '12' is a number"),
        ("name: Test Artist\n", "", 1, "name: this field is missing"),
        ("language: en", "language: english", 2, 'language: found "english"; expected a language\'s code'),
        ("[LT]", "[LT, Poland]", 3, 'countries.1: found "Poland"; expected two capital letters'),
        ("[LT]", "[]", 3, "countries: found []"),
        ("[LT]", "LT", 3, 'countries: found "LT"'),
        ("A voice that nobody has heard before.", "Short.", 4, "persona: found"),
        ("[120, 140]", "[140, 120]", 7, "corridor.techno.tempo_bpm: tempo_bpm is [140, 120]; expected low <= high"),
        ("[120, 140]", "[120, 121]", 7, "corridor.techno.tempo_bpm: tempo leaves no room"),
        ("[120, 140]", "[20, 140]", 7, "both from 60 to 180"),
        ("[120, 140]", "[120]", 7, "corridor.techno.tempo_bpm"),
        ("[120, 140]", '["120", 140]', 7, 'corridor.techno.tempo_bpm.0: found "120"'),
        ("[120, 140]", "[120, .nan]", 7, "corridor.techno.tempo_bpm.1"),
        ("tempo_bpm:", "tempo:", 7, "corridor.techno.tempo: unknown field; expected one of tempo_bpm, energy"),
        ("language: en", "language: en\nlabel: x", 3, "label: unknown field"),
        ("language: en", "language: en\nslots: 51", 3, "slots: found 51"),
        ("language: en", "language: en\nslots: '4'", 3, 'slots: found "4"'),
        ("language: en", "language: en\nslots: 4.5", 3, "slots: found 4.5"),
        ("language: en", "language: en\nseed: -1", 3, "seed: found -1"),
        ("language: en", "language: en\npolicy: best", 3, 'policy: found "best"'),
        ("language: en", "language: en\npersonality: {warmth: 2}", 3, "personality.warmth is 2; expected 0 to 1"),
        ("language: en", "language: en\nbudget:\n  credits_a_month: {soft: 2, hard: 1}", 4, "soft is 2, above hard, 1"),
        ("language: en", "language: en\nbudget:\n  usd_a_month:\n    hard: -1", 5, "budget.usd_a_month.hard: found -1"),
        (
            "language: en",
            "language: en\nbudget: {usd_a_cycle: {most: 1}}",
            3,
            "unknown field; expected one of soft, hard",
        ),
        ("language: en", "language: en\nbudget: {a_year: 1}", 3, "usd_a_month, credits_a_cycle, usd_a_cycle"),
        ("language: en", "language: en\nstyle_template: '{genre}'", 3, "the style template holds {genre}"),
        ("language: en", "language: en\nname: Again", 3, "name stands twice, first on line 1"),
        ("[120, 140]", "[120, 140", 8, "no YAML"),
    ],
)
def test_wrong_field_is_named_by_line_and_path(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in SMALLEST

    with pytest.raises(InputError) as caught:
        read(tmp_path, SMALLEST.replace(old, new, 1))

    (message,) = str(caught.value).splitlines()
    assert message.startswith(f"{tmp_path / 'artist.yaml'} line {line}: ")
    assert said in message


def test_everything_that_is_wrong_is_said_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, SMALLEST.replace("en", "x").replace("[LT]", "[lt]").replace("120", "fast"))

    lines = [int(message.split(" line ")[1].split(":")[0]) for message in str(caught.value).splitlines()]
    assert lines == [2, 3, 7]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words", "&a [*a]", "x: \x00"])
def test_file_that_describes_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"artist\.yaml"):
        read(tmp_path, text)


def test_recursive_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no YAML that describes an artist"):
        read(tmp_path, "name: &a\n  deeper: *a\n")
