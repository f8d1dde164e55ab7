"""How the numbers of the tempo ranker were made: `python -m benchmarks.train_tempo FOLDER... [--write]`.

Each folder holds rendered clips and a `manifest.json`: a list of objects with `file`, `tempo_bpm` (of the notated
beat), `source`, `title` (of the tune) and `instrument` (or sound font). `benchmarks._hearing.render --half train` makes
such folders. Spectrograms are kept beside the manifest (`spectra.npz`): only the first run needs the audio.

It prints what the ranker does on tunes it has not seen, and on tunes and instruments it has not seen, and with
`--write` replaces `muzikantas/analysis/audio/tempo_model.npz`.
"""

import argparse
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from muzikantas.analysis.audio import onsets, record, rhythm, spectrum, tempo_model

FOLDS = 5
NETWORKS = 4
HIDDEN = 32
EPOCHS = 60
BATCH = 64
LEARNING_RATE = 2e-3
#: A share of each weight that is forgotten per step, and of the inputs of a clip that are hidden: against overfitting.
DECAY, HIDE = 0.3, 0.15

#: Spectrograms are kept in steps of a third of a decibel.
BYTE_DB = 255.0 / spectrum.EMPTY_DB

#: Even clicks without accents, whose only honest tempo is their own rate, and noises, which have none.
PULSES, NOISES = 80, 80
SYNTHETIC_S = 20

Numbers = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Example:
    """What the ranker sees of one clip."""

    described: Numbers  #: `[shape=(candidates, numbers)]`
    tempi_bpm: NDArray[np.float64]
    clarity: NDArray[np.float64]  #: of each candidate
    tempo_bpm: float  #: 0 when there is none
    tune: str
    instrument: str
    source: str

    @property
    def right(self) -> int | None:
        """Which candidate is within 4 % of the truth, if one is."""
        if not self.tempo_bpm:
            return None
        error = np.abs(self.tempi_bpm / self.tempo_bpm - 1.0)
        return int(np.argmin(error)) if error.min() < tempo_model.SAME else None


def examples(folder: Path) -> Iterator[Example]:
    """Read the clips of a folder."""
    clips = json.loads((folder / "manifest.json").read_text())
    kept = folder / "spectra.npz"
    if not kept.exists():
        spectra = [_compressed(folder / clip["file"]) for clip in clips]
        np.savez(kept, *spectra)
    with np.load(kept) as arrays:
        for number, clip in enumerate(clips):
            level_db = arrays[f"arr_{number}"].astype(np.float32) / BYTE_DB - spectrum.EMPTY_DB
            mel_power = 10.0 ** (level_db / 10.0)
            yield example(mel_power, clip["tempo_bpm"], clip["title"], clip["instrument"], clip["source"])


def _compressed(path: Path) -> NDArray[np.uint8]:
    """Give the mel spectrogram of a file as bytes of decibels below its peak."""
    level_db = spectrum.log_mel(record(path.read_bytes()).frames.mel_power)
    levels: NDArray[np.uint8] = np.clip((level_db + spectrum.EMPTY_DB) * BYTE_DB, 0, 255).astype(np.uint8)
    return levels


def example(mel_power: Numbers, tempo_bpm: float, tune: str, instrument: str, source: str) -> Example:
    """Describe the candidates of one spectrogram."""
    curves, levels = onsets.curves_of(mel_power, spectrum.log_mel(mel_power))
    heard = tempo_model.periodicity(curves, levels)
    tempi = tempo_model.candidates(heard)
    described = tempo_model.describe(heard, tempi, rhythm.onset_rate(curves[0])).astype(np.float32)
    return Example(
        described=described,
        tempi_bpm=tempi,
        clarity=tempo_model.clarity(heard, tempi),
        tempo_bpm=tempo_bpm,
        tune=tune,
        instrument=instrument,
        source=source,
    )


def synthetic(rng: np.random.Generator) -> Iterator[Example]:
    """Give even clicks, and noises with and without attacks at random times."""
    count = SYNTHETIC_S * spectrum.SAMPLE_RATE
    for number in range(PULSES + NOISES):
        pulse = number < PULSES
        bpm = float(np.exp(rng.uniform(np.log(60.0), np.log(200.0)))) if pulse else 0.0
        samples = rng.standard_normal(count) * 10.0 ** rng.uniform(-4.0, -2.0 if pulse else 0.0)
        decay = np.exp(-np.arange(4000) / rng.uniform(100.0, 1000.0))
        tone = np.sin(np.arange(4000) * rng.uniform(0.03, 1.5)) if rng.random() < 0.5 else rng.standard_normal(4000)
        even = np.arange(rng.random(), SYNTHETIC_S - 0.3, 60.0 / (bpm or 1.0))
        times = even if pulse else rng.uniform(0.0, SYNTHETIC_S - 0.3, number % 2 * (number - PULSES))
        for start in (times * spectrum.SAMPLE_RATE).astype(int):
            samples[start : start + 4000] += decay * tone
        mel_power = spectrum.frames((samples / np.abs(samples).max()).astype(np.float32)).mel_power
        yield example(mel_power, bpm, f"synthetic {number}", "synthetic", "pulse" if pulse else "noise")


def train(known: Sequence[Example], networks: int) -> tempo_model.Ranker:
    """Fit the networks by Adam to give the right candidate the highest score, without a calibration yet."""
    usable = [each for each in known if each.right is not None]
    rows = np.concatenate([each.described for each in usable])
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    most = max(len(each.tempi_bpm) for each in usable)
    inputs = np.zeros((len(usable), most, rows.shape[1]), np.float32)
    absent = np.ones((len(usable), most), bool)
    goal = np.zeros((len(usable), most), np.float32)
    for number, each in enumerate(usable):
        count = len(each.tempi_bpm)
        inputs[number, :count] = tempo_model.bounded((each.described - centre) / scale).astype(np.float32)
        absent[number, :count] = False
        goal[number, each.right] = 1.0
    fitted = [_fit(inputs, absent, goal, np.random.default_rng(seed)) for seed in range(networks)]
    return tempo_model.Ranker(
        centre=centre,
        scale=scale,
        inner=np.stack([net[0] for net in fitted]),
        bias=np.stack([net[1] for net in fitted]),
        outer=np.stack([net[2] for net in fitted]),
        calibration=np.zeros(3),
    )


def _fit(inputs: Numbers, absent: NDArray[np.bool_], goal: Numbers, rng: np.random.Generator) -> list[Numbers]:
    """Train one network: inner weights, bias, outer weights."""
    width = inputs.shape[2]
    net = [rng.standard_normal((width, HIDDEN)) / np.sqrt(width), np.zeros(HIDDEN), rng.standard_normal(HIDDEN) / 6.0]
    net = [part.astype(np.float32) for part in net]
    mean, square = [np.zeros_like(part) for part in net], [np.zeros_like(part) for part in net]
    steps = EPOCHS * (len(inputs) // BATCH)
    for step in range(steps):
        chosen = rng.choice(len(inputs), BATCH, replace=False)
        shown = (rng.random((BATCH, 1, width)) > HIDE).astype(np.float32) / (1.0 - HIDE)
        slopes = _slopes(net, inputs[chosen] * shown, absent[chosen], goal[chosen])
        rate = 0.5 * LEARNING_RATE * (1.0 + np.cos(np.pi * step / steps))
        for k, slope in enumerate(slopes):
            mean[k] = 0.9 * mean[k] + 0.1 * slope
            square[k] = 0.999 * square[k] + 0.001 * slope**2
            move = mean[k] / (1.0 - 0.9 ** (step + 1)) / (np.sqrt(square[k] / (1.0 - 0.999 ** (step + 1))) + 1e-8)
            net[k] = (net[k] - rate * (move + (0.0 if k == 1 else DECAY) * net[k])).astype(np.float32)
    return net


def _slopes(net: Sequence[Numbers], shown: Numbers, absent: NDArray[np.bool_], goal: Numbers) -> list[Numbers]:
    """Gradients of the cross entropy of the softmax over each clip's candidates."""
    inner, bias, outer = net
    hidden = np.tanh(shown @ inner + bias)
    scores = np.where(absent, -1e9, hidden @ outer)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    wrong = (odds / odds.sum(axis=1, keepdims=True) - goal) / len(goal)
    back = wrong[:, :, None] * outer * (1.0 - hidden**2)
    return [np.tensordot(shown, back, axes=((0, 1), (0, 1))), back.sum(axis=(0, 1)), np.tensordot(wrong, hidden, 2)]


def _fold(name: str) -> int:
    return zlib.crc32(name.encode()) % FOLDS


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The ranker's choice for a clip that it had not seen."""

    ratio: float  #: of the chosen tempo to the true one; 0 when there is none
    evidence: NDArray[np.float64]
    source: str

    def right(self, *multiples: float) -> bool:
        """Whether the choice is within 4 % of the truth or of a multiple of it."""
        return any(abs(self.ratio / multiple - 1.0) < tempo_model.SAME for multiple in (1.0, *multiples))


def cross_validate(known: Sequence[Example], *, by_instrument: bool) -> Iterator[Answer]:
    """Answer for clips of each fold by a network that saw neither their tunes nor, if wished, their instruments."""
    for fold in range(FOLDS):
        others = [each for each in known if _fold(each.tune) != fold]
        ranker = train([each for each in others if not (by_instrument and _fold(each.instrument) == fold)], 1)
        for each in known:
            if _fold(each.tune) == fold and (not by_instrument or _fold(each.instrument) == fold):
                weights = ranker.weights(each.described.astype(np.float64))
                best = int(np.argmax(weights))
                yield Answer(
                    ratio=float(each.tempi_bpm[best] / each.tempo_bpm) if each.tempo_bpm else 0.0,
                    evidence=tempo_model.evidence(float(weights[best]), float(each.clarity[best])),
                    source=each.source,
                )


def calibrated(answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Fit the logistic line from evidence to the share of right answers, rising in both of its numbers."""
    evidence = np.stack([each.evidence for each in answers])
    right = np.array([each.right() for each in answers])

    def loss(line: NDArray[np.float64]) -> float:
        odds = evidence @ line
        return float(np.mean(np.logaddexp(0.0, np.where(right, -odds, odds))))

    bounds = [(-20.0, 20.0), (0.0, 10.0), (0.0, 50.0)]
    line: NDArray[np.float64] = scipy.optimize.minimize(loss, np.array([0.0, 1.0, 1.0]), bounds=bounds).x
    return line


def report(name: str, answers: Sequence[Answer], line: NDArray[np.float64]) -> None:
    """Print how often the answers are right, by source, and in five bins of confidence."""
    real = [each for each in answers if each.ratio]
    exact = np.mean([each.right() for each in real])
    octave = np.mean([each.right(2.0, 0.5, 3.0, 1 / 3) for each in real])
    print(f"{name}: n={len(real)} acc1={exact:.3f}±{np.sqrt(exact * (1 - exact) / len(real)):.3f} acc2={octave:.3f}")  # noqa: T201 (a report)
    for source in sorted({each.source for each in real}):
        some = [each.right() for each in real if each.source == source]
        print(f"  {source}: n={len(some)} acc1={np.mean(some):.2f}")  # noqa: T201 (a report)
    sure = 1.0 / (1.0 + np.exp(-np.stack([each.evidence for each in answers]) @ line))
    right = np.array([each.right() for each in answers])
    for low in (0.0, 0.2, 0.4, 0.6, 0.8, 0.9):
        inside = (sure >= low) & (sure < {0.8: 0.9, 0.9: 1.1}.get(low, low + 0.2))
        if inside.any():
            print(f"  confidence {sure[inside].mean():.2f}: right {right[inside].mean():.2f} (n={inside.sum()})")  # noqa: T201 (a report)


def write(ranker: tempo_model.Ranker, line: NDArray[np.float64]) -> None:
    """Replace the numbers that ship."""
    half = {name: getattr(ranker, name).astype(np.float16) for name in ("inner", "bias", "outer")}
    path = Path(tempo_model.__file__).with_name("tempo_model.npz")
    single = {name: getattr(ranker, name).astype(np.float32) for name in ("centre", "scale")}
    np.savez_compressed(path, calibration=line, **half, **single)


def main() -> None:
    """Cross-validate, calibrate, and write when told to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="replace the numbers that ship")
    given = parser.parse_args()
    known = [each for folder in given.folders for each in examples(folder)]
    known += synthetic(np.random.default_rng(4))
    answers = list(cross_validate(known, by_instrument=False))
    line = calibrated(answers)
    report("unseen tunes", answers, line)
    report("unseen tunes and instruments", list(cross_validate(known, by_instrument=True)), line)
    if given.write:
        write(train(known, NETWORKS), line)


if __name__ == "__main__":
    main()
