"""`muzikantas analyze` on real files: a line each, bad ones too, in the order given."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from muzikantas.cli.analyze import analyze

RATE = 22050


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Six seconds of A, struck twice a second."""
    time = np.arange(6 * RATE) / RATE
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 220 * time) * np.exp(-6 * (time % 0.5)), RATE)
    return path


def test_bad_files_are_lines_and_the_rest_go_on(tmp_path: Path, tone: Path) -> None:
    (tmp_path / "words.mp3").write_text("no music")
    files = [tmp_path / "words.mp3", tone, tmp_path / "missing.wav", tmp_path]

    result = CliRunner().invoke(analyze, ["--json", "--jobs", "2", *map(str, files)])

    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line["file"] for line in found] == list(map(str, files))
    assert [("error" in line) for line in found] == [True, False, True, True]
    assert found[1]["duration_s"] == pytest.approx(6.0)
    assert "No such file" in found[2]["error"]


def test_readable_line_names_the_file(tone: Path) -> None:
    result = CliRunner().invoke(analyze, [str(tone)])

    (line,) = result.stdout.splitlines()
    assert result.exit_code == 0
    assert line.endswith(str(tone))
    assert "0:06" in line
    assert "LUFS" in line
