"""Changing mp3 files without decoding them: level, length and label are what was asked, and nothing else changes."""

import io
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from muzikantas.sandbox import mp3, recording
from muzikantas.sandbox.instruments import SAMPLE_RATE
from muzikantas.sandbox.jukebox import Jukebox
from muzikantas.sandbox.obedience import realise
from muzikantas.sandbox.prompt import read_style


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("mp3") / "take.mp3"
    take = realise(read_style("house, 124 bpm, driving drums"), seed=7, take_id="x")
    recording.record(path, take, audio_seconds=5, rng=np.random.default_rng(1))
    return path.read_bytes()


def heard(data: bytes) -> NDArray[np.float64]:
    samples, rate = soundfile.read(io.BytesIO(data))
    assert rate == SAMPLE_RATE
    found: NDArray[np.float64] = samples
    return found


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_a_step_of_gain_is_a_decibel_and_a_half_and_only_scales(recorded: bytes, steps: int) -> None:
    before, after = heard(recorded), heard(mp3.quieter(recorded, mp3.gain_bits(recorded), steps))

    assert np.abs(before).max() > 0.1
    assert np.allclose(after, before * 2 ** (-steps / 4), atol=2e-3)


def test_frames_cover_the_file(recorded: bytes) -> None:
    edges = list(mp3.frames(recorded))

    assert edges[0][0] == 0
    assert edges[-1][1] == len(recorded)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(edges))


def test_a_shortened_file_is_as_long_as_it_says(recorded: bytes) -> None:
    assert len(heard(mp3.shortened(recorded, 2.0))) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)


def test_a_label_changes_the_file_and_not_the_sound(recorded: bytes) -> None:
    one, other = mp3.labelled(recorded, "one"), mp3.labelled(recorded, "other")

    assert one != other
    assert np.array_equal(heard(one), heard(other))


def test_silence_is_silent_and_as_long_as_asked() -> None:
    samples = heard(recording.silence(3))

    assert np.abs(samples).max() == 0
    assert len(samples) / SAMPLE_RATE == pytest.approx(3, abs=0.1)


def test_the_jukebox_plays_every_take_differently_for_less_than_five_milliseconds(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads:
        jukebox = Jukebox(threads, tmp_path, seed=7, audio_seconds=5)
        first, duration_s = jukebox.play("take-a", "task-1", 0)
        again, _ = jukebox.play("take-a", "task-1", 0)
        started = time.process_time()
        files = [jukebox.play(f"take-{n}", f"task-{n // 2}", n % 2)[0] for n in range(100)]
        spent_s = time.process_time() - started

    assert first == again
    assert len(heard(first)) / SAMPLE_RATE == pytest.approx(duration_s, abs=0.1)
    assert len(set(files)) == 100
    assert spent_s / 100 < 0.005
    twins = [np.sqrt(np.mean(np.square(heard(data)[: 2 * SAMPLE_RATE]))) for data in files[:2]]
    assert twins[0] != pytest.approx(twins[1], rel=1e-6)
