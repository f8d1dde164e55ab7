"""Engines that name tempo and key, one call each; runs in the environment that has the engine.

Prints one JSON object: the answers by file name, `[tempo_bpm, key, mode]`, with null where the engine does not answer.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answered = tuple[float | None, str | None, str | None]

#: Krumhansl, "Cognitive Foundations of Musical Pitch", 1990: what tutorials correlate a chroma with.
KRUMHANSL = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}


def ours(path: Path) -> Answered:
    """Muzikantas, all features, from an open file as `muzikantas analyze` does."""
    audio: Any = importlib.import_module("muzikantas.analysis.audio")
    with path.open("rb") as file:
        heard = audio.measure_file(file)
    return heard.tempo_bpm, heard.key, heard.mode


def usual(path: Path) -> Answered:
    """Librosa as its tutorials have it: load at 22.05 kHz, beat_track, chroma_cqt and Krumhansl's profiles."""
    librosa: Any = importlib.import_module("librosa")
    np: Any = importlib.import_module("numpy")
    y, sr = librosa.load(path, sr=22050)
    tempo, _ = librosa.beat.beat_track(y=y, sr=sr)
    chroma = librosa.feature.chroma_cqt(y=y, sr=sr).mean(axis=1)
    rotations = [(name, mode, np.roll(KRUMHANSL[mode], k)) for k, name in enumerate(NAMES) for mode in KRUMHANSL]
    key, mode, _ = max(rotations, key=lambda each: np.corrcoef(chroma, each[2])[0, 1])
    return float(np.atleast_1d(tempo)[0]), key, mode


def everything(path: Path) -> Answered:
    """The usual recipe with HPSS and the features that tutorials add to it."""
    librosa: Any = importlib.import_module("librosa")
    y, sr = librosa.load(path, sr=22050)
    librosa.effects.hpss(y)
    feature = librosa.feature
    for each in (feature.spectral_contrast, feature.mfcc, feature.tonnetz, feature.spectral_centroid):
        each(y=y, sr=sr)
    for each in (feature.spectral_bandwidth, feature.spectral_rolloff, feature.chroma_stft, feature.tempogram):
        each(y=y, sr=sr)
    feature.zero_crossing_rate(y), feature.rms(y=y)
    return usual(path)


def multifeature(path: Path) -> Answered:
    """Essentia RhythmExtractor2013 multifeature, KeyExtractor with its dance-music profile."""
    standard = _essentia()
    audio = standard.MonoLoader(filename=str(path), sampleRate=44100)()
    tempo = standard.RhythmExtractor2013(method="multifeature")(audio)[0]
    return float(tempo), *_key(standard, audio, "edma")


def degara(path: Path) -> Answered:
    """Essentia RhythmExtractor2013 degara, KeyExtractor bgate."""
    standard = _essentia()
    audio = standard.MonoLoader(filename=str(path), sampleRate=44100)()
    tempo = standard.RhythmExtractor2013(method="degara")(audio)[0]
    return float(tempo), *_key(standard, audio, "bgate")


def percival(path: Path) -> Answered:
    """Essentia PercivalBpmEstimator, KeyExtractor krumhansl."""
    standard = _essentia()
    audio = standard.MonoLoader(filename=str(path), sampleRate=44100)()
    return float(standard.PercivalBpmEstimator()(audio)), *_key(standard, audio, "krumhansl")


def music_extractor(path: Path) -> Answered:
    """Essentia MusicExtractor: 400 descriptors, among them tempo and key."""
    pool, _ = _essentia().MusicExtractor(lowlevelStats=["mean"], rhythmStats=["mean"], tonalStats=["mean"])(str(path))
    key, mode = pool["tonal.key_edma.key"], pool["tonal.key_edma.scale"]
    return float(pool["rhythm.bpm"]), FLATS.get(key, key), str(mode)


def aubio(path: Path) -> Answered:
    """Tempo from the median of aubio's beat intervals, the way its own command does."""
    aubio_: Any = importlib.import_module("aubio")
    soundfile: Any = importlib.import_module("soundfile")
    np: Any = importlib.import_module("numpy")
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono, hop = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)), 512
    tracker = aubio_.tempo("default", 1024, hop, rate)
    beats = [tracker.get_last_s() for k in range(len(mono) // hop) if tracker(mono[k * hop : (k + 1) * hop])[0]]
    return (60.0 / float(np.median(np.diff(beats))) if len(beats) > 2 else None), None, None


def _essentia() -> Any:  # noqa: ANN401 (Essentia has no types)
    importlib.import_module("essentia").log.infoActive = False
    return importlib.import_module("essentia.standard")


def _key(standard: Any, audio: Any, profile: str) -> tuple[str, str]:  # noqa: ANN401 (Essentia has no types)
    key, mode, _ = standard.KeyExtractor(profileType=profile)(audio)
    return FLATS.get(key, key), mode


ENGINES: dict[str, Callable[[Path], Answered]] = {
    "muzikantas": ours,
    "librosa usual recipe": usual,
    "librosa everything": everything,
    "essentia multifeature, edma": multifeature,
    "essentia degara, bgate": degara,
    "essentia percival, krumhansl": percival,
    "essentia MusicExtractor": music_extractor,
    "aubio": aubio,
}


def main() -> None:
    """Answer for every file; one that an engine cannot hear is named on standard error and left out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._hearing.peers", description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    answers: dict[str, Answered] = {}
    for path in given.files:
        try:
            answers[path.name] = ENGINES[given.engine](path)
        except Exception as error:  # noqa: BLE001 (whatever an engine raises is its answer: none)
            sys.stderr.write(f"{given.engine}: {path.name}: {type(error).__name__}: {error}\n")
    # Engines write to standard output from C; the answers are its last line.
    sys.stdout.flush()
    os.write(1, ("\n" + json.dumps(answers) + "\n").encode())


if __name__ == "__main__":
    main()
