"""`muzikantas artist create` before it needs a database."""

from pathlib import Path

from click.testing import CliRunner

from muzikantas.cli.artist import artist
from muzikantas.cli.artist_example import EXAMPLE
from muzikantas.domain.errors import InputError


def test_example_is_printed_without_a_file() -> None:
    result = CliRunner().invoke(artist, ["create", "--example"])

    assert result.exit_code == 0
    assert result.stdout == EXAMPLE


def test_wrong_file_is_refused_before_a_database_is_started(tmp_path: Path) -> None:
    path = tmp_path / "artist.yaml"
    path.write_text("name: Only a Name\n")

    result = CliRunner().invoke(artist, ["create", str(path)])

    assert isinstance(result.exception, InputError)
    assert "persona: this field is missing" in str(result.exception)
    assert result.output == ""
