"""Train the key model, and say what it reaches on music that it has not seen.

    python -m benchmarks.train_key FOLDER --render 2000 --seed 1
    python -m benchmarks.train_key FOLDER

The first renders clips of the training half into FOLDER: tunes and instruments that `benchmarks.hearing` never plays.
FOLDER holds audio and a `manifest.json`: a list of objects with `file`, `key` (one of C, C#, ... B), `mode`, and the
groups to hold out by: `tune` (clips of one tune are never on both sides), `source` and `sound` (the sound font).
The last lines printed are the numbers of `muzikantas/analysis/audio/key_model.py`.
"""

import argparse
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
import soundfile
from numpy.typing import NDArray

from benchmarks._hearing import environment
from benchmarks._hearing.clips import rendered_into
from muzikantas.analysis.audio import key_model, tonality
from muzikantas.analysis.audio.decode import resample
from muzikantas.analysis.audio.spectrum import SLOW_RATE
from muzikantas.domain.features import PITCH_CLASSES

#: Weight of the sum of squared weights, chosen among 3e-6, 1e-5 and 3e-5: within the standard error all the same.
PENALTY = 1e-5

#: Folds by tune.
FOLDS = 4

#: Clips that are rendered at once.
PROCESSES = 2

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Clip = dict[str, Any]


class Model(NamedTuple):
    """Weights of major and minor, `[shape=(96, 2)]`, and what minor starts from."""

    weights: Array
    bias: float


def main() -> None:
    """Render clips, or read them, hold out by tune, source and sound, and train on all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_key", description="Train the key model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--render", type=int, metavar="COUNT", help="render so many clips into the folder, no more")
    parser.add_argument("--seed", type=int, default=1, help="which tunes and instruments are drawn for --render")
    given = parser.parse_args()
    if given.render:
        render(given.folder, given.render, given.seed)
    else:
        train(given.folder)


def render(folder: Path, count: int, seed: int) -> None:
    """Render clips of the training half into a folder, with the manifest that `train` reads."""
    rows = rendered_into(environment.prepare(), folder, seed=seed, count=count, processes=PROCESSES, half="train")
    groups = [{"tune": row["title"], "sound": row["instrument"].partition(":")[0]} for row in rows.values()]
    clips = [row | group for row, group in zip(rows.values(), groups, strict=True)]
    (folder / "manifest.json").write_text(json.dumps(clips, indent=1))


def train(folder: Path) -> None:
    """Say what is reached on clips that were held out, and print what is reached by training on all."""
    clips: list[Clip] = json.loads((folder / "manifest.json").read_text())
    heard = [described(folder / clip["file"]) for clip in clips]
    turned, prior = (np.stack(part) for part in zip(*heard, strict=True))
    labels = np.array([12 * tonality.MODES.index(clip["mode"]) + PITCH_CLASSES.index(clip["key"]) for clip in clips])
    by_tune = held_out(turned, labels, prior, [str(zlib.crc32(clip["tune"].encode()) % FOLDS) for clip in clips])
    report("profiles alone", prior, labels, [clip["source"] for clip in clips])
    report("held out by tune", by_tune, labels, [clip["source"] for clip in clips])
    for group in ("source", "sound"):
        names = [clip[group] for clip in clips]
        report(f"held out by {group}", held_out(turned, labels, prior, names), labels, names)
    show(fitted(turned, labels), calibrated(by_tune, labels))


def described(path: Path) -> tuple[Array, Array]:
    """Give what the model sees of a file for each tonic, `[shape=(12, 96)]`, and the profiles' part in its scores."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    levels, _ = tonality.notes(resample(samples.mean(axis=1), rate, SLOW_RATE))
    inputs = key_model.inputs(tonality.evidence(levels))
    turned = np.stack([np.roll(inputs, -tonic, axis=1).ravel() for tonic in range(12)])
    return turned, key_model.PROFILE_WEIGHT * tonality.profile_fits(tonality.chroma(levels)).ravel()


def fitted(turned: Array, labels: Labels) -> Model:
    """Find the weights of highest likelihood, less the penalty."""
    clips, _, size = turned.shape
    flat = turned.reshape(-1, size)

    def loss(parameters: Array) -> tuple[float, Array]:
        scores = scored(turned, Model(parameters[:-1].reshape(size, 2), parameters[-1]))
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        surprise = -float(np.mean(np.log(share[np.arange(clips), labels])))
        share[np.arange(clips), labels] -= 1.0
        by_tonic = share.reshape(clips, 2, 12).transpose(0, 2, 1).reshape(-1, 2) / clips
        slope = np.append((flat.T @ by_tonic).ravel(), by_tonic[:, 1].sum())
        slope[:-1] += 2.0 * PENALTY * parameters[:-1]
        return surprise + PENALTY * float(np.square(parameters[:-1]).sum()), slope

    found = scipy.optimize.minimize(loss, np.zeros(2 * size + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return Model(found.x[:-1].reshape(size, 2), float(found.x[-1]))


def scored(turned: Array, model: Model) -> Array:
    """Score every key of every clip, `[shape=(clips, 24)]`."""
    both = turned @ model.weights + np.array([0.0, model.bias])
    by_mode: Array = both.transpose(0, 2, 1).reshape(len(turned), 24)
    return by_mode


def held_out(turned: Array, labels: Labels, prior: Array, groups: list[str]) -> Array:
    """Score every clip by a model that was trained without its group."""
    scores = prior.copy()
    for name in sorted(set(groups)):
        out = np.array([group == name for group in groups])
        scores[out] += scored(turned[out], fitted(turned[~out], labels[~out]))
    return scores


def calibrated(scores: Array, labels: Labels) -> tuple[float, float]:
    """Fit slope and offset that make held-out confidence a probability (Platt, 1999)."""
    odds = np.array([key_model.log_odds(row) for row in scores])
    right = scores.argmax(axis=1) == labels

    def loss(line: Array) -> float:
        return float(np.mean(np.logaddexp(0.0, np.where(right, -1.0, 1.0) * (line[0] * odds + line[1]))))

    slope, offset = scipy.optimize.minimize(loss, np.array([1.0, 0.0])).x
    return float(slope), float(offset)


def mirex(found: int, true: int) -> float:
    """Score a key by its distance as MIREX does: 1 exact, .5 a fifth, .3 the relative, .2 the parallel, else 0."""
    (found_mode, found_tonic), (mode, tonic) = divmod(found, 12), divmod(true, 12)
    step = (found_tonic - tonic) % 12
    if found_mode == mode:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(step, 0.0)
    return {0: 0.2, (9 if mode == 0 else 3): 0.3}.get(step, 0.0)


def report(name: str, scores: Array, labels: Labels, groups: list[str]) -> None:
    """Print share of exact keys with its standard error and the MIREX score, of all and by group."""
    found = scores.argmax(axis=1)
    points = np.array([mirex(int(a), int(b)) for a, b in zip(found, labels, strict=True)])
    for group in ("", *sorted(set(groups))):
        some = points[[group in {"", own} for own in groups]]
        exact = float(np.mean(some == 1.0))
        error = float(np.sqrt(exact * (1.0 - exact) / some.size))
        _say(
            f"{name:18} {group or 'all':10} n {some.size:5d}  exact {exact:.3f} +- {error:.3f}  MIREX {some.mean():.3f}"
        )


def show(model: Model, line: tuple[float, float]) -> None:
    """Print the numbers as they stand in the product."""
    number: Callable[[float], str] = "{:.2f}".format
    for name, column in (("MAJOR", 0), ("MINOR", 1)):
        rows = [", ".join(map(number, row)) for row in model.weights[:, column].reshape(-1, 12)]
        _say(f"{name} = np.array(\n    [\n" + "".join(f"        [{row}],\n" for row in rows) + "    ]\n)")
    _say(f"MINOR_BIAS = {model.bias:.3f}\nSLOPE, OFFSET = {line[0]:.3f}, {line[1]:.3f}")


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
