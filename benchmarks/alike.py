"""Are copies found, and different recordings left alone? `python -m benchmarks.alike`.

Fifty artists of twenty pieces of half a minute each, played by a synthesiser of our own, are the catalogue of 1,000.
Asked about are copies of every twentieth (encoded again, cut, equalised, transposed, sped up), second takes of the same
requests, covers note by note, and every piece of the catalogue itself. In each artist's twenty, one track is exchanged
for a stranger's, to be found as an outlier of style. Time is measured on a catalogue filled to 10,000.
"""

import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks._alike_pieces import RATE, Score, Sound, compose, copies, cover, perform, second_take
from muzikantas.analysis import audio, consistency
from muzikantas.analysis.audio.catalogue import Catalogue, Match
from muzikantas.analysis.audio.fingerprint import Fingerprint, fingerprint
from muzikantas.domain.features import Features

ARTISTS, TRACKS = 50, 20
#: Of each kind one for every artist: the copied piece is this one of its twenty.
COPIED = 7
LARGE = 10_000
#: What a copy may rightly be called: some are both higher and faster.
RIGHT = {
    "re-encoded": ("same recording",),
    "cut by 3 s": ("same recording",),
    "cut by 3.07 s, re-encoded": ("same recording",),
    "louder basses, quieter": ("same recording",),
    "semitone up": ("transposed",),
    "semitone down, re-encoded": ("transposed",),
    "4 % faster": ("faster",),
    "4 % faster as a tape": ("faster",),
    "semitone up as a tape": ("faster",),
}


class Heard(NamedTuple):
    """What is known of a recording."""

    taken: Fingerprint
    features: Features


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The last line is one JSON object.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that play and listen."
)
def main(*, as_json: bool, jobs: int) -> None:
    """Measure recall, false alarms and time."""
    with ProcessPoolExecutor(jobs) as pool:
        _say(f"{ARTISTS * TRACKS} pieces are played and heard")
        scores = [compose(artist, number) for artist in range(ARTISTS) for number in range(TRACKS)]
        heard = list(pool.map(hear_score, scores, chunksize=10))
        _say("copies, second takes and covers")
        copied = list(pool.map(hear_copies, scores[COPIED::TRACKS]))
        others = {"second takes": second_take, "covers": cover}
        different = {
            name: list(pool.map(hear_score, map(make, scores[COPIED::TRACKS]))) for name, make in others.items()
        }
    catalogue = Catalogue()
    for take_id, (taken, features) in enumerate(heard):
        catalogue.add(take_id, taken, features.timbre)
    result = {
        "benchmark": "alike",
        "catalogue": len(catalogue),
        "copies": {name: _recall(catalogue, name, [each[name] for each in copied]) for name in RIGHT},
        "different": {name: _different(catalogue, each) for name, each in different.items()},
        "catalogue_itself": _itself(catalogue, heard),
        "style_outliers": _outliers([each.features for each in heard]),
        "query": _query_time(heard),
        "bytes_of_180_s": len(fingerprint(np.tile(perform(scores[0]), 6), RATE, 120.0).to_bytes()),
    }
    click.echo(json.dumps(result, indent=None if as_json else 2))


def hear(sound: Sound) -> Heard:
    """Measure a recording as the listening stage does, and take its fingerprint."""
    features = audio.measure(sound, RATE)
    return Heard(fingerprint(sound, RATE, features.tempo_bpm), features)


def hear_score(score: Score) -> Heard:
    """Play and hear a score."""
    return hear(perform(score))


def hear_copies(score: Score) -> dict[str, Heard]:
    """Play a score and hear every kind of copy of it."""
    sound = perform(score)
    return {name: hear(spoil(sound)) for name, spoil in copies().items()}


def _ask(catalogue: Catalogue, heard: Heard) -> list[Match]:
    return catalogue.query(heard.taken, heard.features.timbre)


def _is_copy(match: Match) -> bool:
    return match.kind != "sounds like"


def _recall(catalogue: Catalogue, name: str, heard: list[Heard]) -> dict[str, Any]:
    """Count copies that are found, those of them that are named rightly, and other pieces that are called copies."""
    found = named = wrong = 0
    agreement = []
    for artist, each in enumerate(heard):
        matches = [match for match in _ask(catalogue, each) if _is_copy(match)]
        own = [match for match in matches if match.id == artist * TRACKS + COPIED]
        found += bool(own)
        named += any(match.kind in RIGHT[name] for match in own)
        wrong += len(matches) - len(own)
        agreement += [match.score for match in own]
    least = round(min(agreement), 3) if agreement else None
    shares = {"recall": _share(found, len(heard)), "named": _share(named, len(heard))}
    return {"n": len(heard), **shares, "false_alarms": wrong, "least_agreement": least}


def _different(catalogue: Catalogue, heard: list[Heard]) -> dict[str, Any]:
    """Count different recordings that are called copies of their model, and those that are said to sound like it."""
    kinds = []
    for artist, each in enumerate(heard):
        kinds.append({match.kind for match in _ask(catalogue, each) if match.id == artist * TRACKS + COPIED})
    called = sum(bool(each - {"sounds like"}) for each in kinds)
    related = sum("sounds like" in each for each in kinds)
    return {"n": len(heard), "called_copies": called, "sounds_like": _share(related, len(heard))}


def _itself(catalogue: Catalogue, heard: list[Heard]) -> dict[str, Any]:
    """Ask about every piece of the catalogue: each must find itself, and no other as a copy."""
    itself = copies_of_others = related = 0
    for take_id, each in enumerate(heard):
        matches = _ask(catalogue, each)
        itself += any(match.id == take_id and match.kind == "same recording" for match in matches)
        others = [match for match in matches if match.id != take_id]
        copies_of_others += any(map(_is_copy, others))
        related += any(not _is_copy(match) for match in others)
    n = len(heard)
    return {"n": n, "found": _share(itself, n), "false_alarms": copies_of_others, "sounds_like": _share(related, n)}


def _outliers(features: list[Features]) -> dict[str, Any]:
    """Exchange one track of each artist for one of another artist, and look for it among 20, 10 and 5."""
    result = {}
    for size in (5, 10, TRACKS):
        found, alarms, whole = 0, 0, 0
        for artist in range(ARTISTS):
            own = features[artist * TRACKS : artist * TRACKS + size]
            stranger = features[(artist + ARTISTS // 2) % ARTISTS * TRACKS + COPIED]
            whole += sum(place.outlier for place in consistency.places(own))
            planted = consistency.places([*own[:-1], stranger])
            found += planted[-1].outlier
            alarms += sum(place.outlier for place in planted[:-1])
        rates = {
            "false_alarm_rate": _share(alarms, ARTISTS * (size - 1)),
            "unplanted_rate": _share(whole, ARTISTS * size),
        }
        result[str(size)] = {"recall": _share(found, ARTISTS), **rates}
    return result


def _query_time(heard: list[Heard]) -> dict[str, Any]:
    """Fill a catalogue to 10,000 tracks of three minutes, and ask it for a hundred of them.

    The others have the sketches of those hundred, shaken, and the words of another: so every shortlist holds one copy
    and is full of near misses beside it. Times are of the wall and of the processor.
    """
    rng = np.random.default_rng(0)
    long = [_three_minutes([each.taken for each in heard[start : start + 7]]) for start in range(0, 700, 7)]
    catalogue = Catalogue()
    for take_id in range(LARGE):
        lap, which = divmod(take_id, len(long))
        taken = _near_miss(long[which], long[(which + lap) % len(long)], rng) if lap else long[which]
        catalogue.add(take_id, taken, heard[take_id % len(heard)].features.timbre)
    asked = [partial(catalogue.query, taken, each.features.timbre) for taken, each in zip(long, heard, strict=False)]
    first = _timed(asked[0])
    wall, processor = zip(*(_timed(work) for work in asked), strict=True)
    ms = {"median_ms": statistics.median(wall), "median_cpu_ms": statistics.median(processor), "first_ms": first[0]}
    return {"tracks": LARGE, **{name: round(value, 2) for name, value in ms.items()}}


def _three_minutes(parts: list[Fingerprint]) -> Fingerprint:
    """Join the fingerprints of pieces end to end; their mean sketch stands in for that of the whole."""
    return Fingerprint(
        words=np.concatenate([each.words for each in parts])[:1260],
        harmony=np.concatenate([each.harmony for each in parts])[:360],
        sketch=np.mean([each.sketch for each in parts], axis=0).astype(np.int8),
        harmony_sketch=np.mean([each.harmony_sketch for each in parts], axis=0).astype(np.int8),
    )


def _near_miss(model: Fingerprint, other: Fingerprint, rng: np.random.Generator) -> Fingerprint:
    """Make a recording with about the sketch of one and the words of another, begun elsewhere."""
    shaken = model.sketch + rng.integers(-20, 21, model.sketch.size)
    words = np.roll(other.words, int(rng.integers(other.words.size)))
    return dataclasses.replace(model, words=words, sketch=np.clip(shaken, -127, 127).astype(np.int8))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4)


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
