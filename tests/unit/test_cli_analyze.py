"""`muzikantas analyze` on real files: a line each, bad ones too, in the order given."""

import json
import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from muzikantas.cli.analyze import analyze
from muzikantas.local.crew import Lost, Program, work
from muzikantas.local.programs import COMPUTING
from tests import broken
from tests.broken import encode, music


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Six seconds of music."""
    path = tmp_path / "tone.wav"
    path.write_bytes(encode(music(6.0), "WAV"))
    return path


def numbers(value: Any) -> Iterator[float]:
    """Give every number in a JSON value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers(each)
    elif isinstance(value, float | int):
        yield float(value)


def test_a_folder_of_broken_files_is_a_line_each_a_value_or_a_named_refusal(tmp_path: Path) -> None:
    refused, readable = broken.refused(), broken.readable()
    paths = broken.write(tmp_path / "broken", {**refused, **readable})

    result = CliRunner().invoke(analyze, ["--json", "--jobs", "2", str(tmp_path / "broken")])

    lines = {Path(line["file"]).name: line for line in map(json.loads, result.stdout.splitlines())}
    assert list(lines) == [path.name for path in paths]
    assert result.exit_code == 1
    assert (result.stderr, "Traceback" in result.output) == ("", False)
    for name, (_, words) in refused.items():
        assert re.search(words, lines[name]["error"]), (name, lines[name])
    for name, (_, seconds) in readable.items():
        assert "error" not in lines[name], (name, lines[name])
        assert lines[name]["duration_s"] == pytest.approx(seconds, abs=0.6)
        assert all(map(math.isfinite, numbers(lines[name]))), (name, lines[name])


def test_bad_paths_are_lines_and_the_rest_go_on(tmp_path: Path, tone: Path) -> None:
    (tmp_path / "empty").mkdir()
    files = [tmp_path / "missing.wav", tone, tmp_path / "empty", Path("/dev/zero")]

    result = CliRunner().invoke(analyze, ["--json", "--jobs", "2", *map(str, files)])

    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line["file"] for line in found] == list(map(str, files))
    errors = [line.get("error") for line in found]
    missing = "cannot be read: No such file or directory"
    assert errors == [missing, None, "a folder without audio files", "no regular file"]


def test_gigabytes_that_are_no_audio_are_a_line_and_the_rest_go_on(tmp_path: Path, tone: Path) -> None:
    with (tmp_path / "zeros.mp3").open("wb") as sparse:
        sparse.truncate(4 << 30)

    result = CliRunner().invoke(analyze, ["--json", str(tmp_path / "zeros.mp3"), str(tone)])

    large, fine = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 1
    assert "4294967296 bytes, which is no audio" in large["error"]
    assert "error" not in fine


def test_a_file_that_was_cut_says_so(tmp_path: Path, tone: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(broken.readable()["cut in half.wav"][0])

    result = CliRunner().invoke(analyze, [str(cut), str(tone)])

    first, second = result.stdout.splitlines()
    assert "(50% of its announced length is missing)" in first
    assert "missing" not in second


def test_a_file_that_takes_too_long_is_lost_alone(tmp_path: Path, tone: Path) -> None:
    hour = tmp_path / "hour.flac"
    hour.write_bytes(encode(np.tile(music(60.0, 8000), (60, 1)), "FLAC", 8000))
    impatient = "from muzikantas.cli import listener; listener.LONGEST_S = 1; listener.main()"
    program = Program(argv=[sys.executable, "-c", impatient], env={**COMPUTING, **os.environ})

    late, fine = work(program, [str(hour), str(tone)], size=1)

    assert late == Lost(reason="took too long")
    assert fine["duration_s"] == pytest.approx(6.0)


def test_a_folder_is_all_audio_files_below_it_in_order(tmp_path: Path) -> None:
    for name in ("b.WAV", "a/z.flac", "a/notes.txt"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(music(6.0), "FLAC"))

    result = CliRunner().invoke(analyze, ["--json", str(tmp_path / "album")])

    assert result.exit_code == 0
    files = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert files == [str(tmp_path / "album" / name) for name in ("a/z.flac", "b.WAV")]


def test_readable_line_names_the_file(tone: Path) -> None:
    result = CliRunner().invoke(analyze, [str(tone)])

    (line,) = result.stdout.splitlines()
    assert result.exit_code == 0
    assert line.endswith(str(tone))
    assert "0:06" in line
    assert "LUFS" in line
