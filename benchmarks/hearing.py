"""How right, fast and lean the listener is, beside what others would use, on music whose tempo and key are known.

Tunes, chorales and quartets of public packages are arranged and rendered with seeds; the first run installs packages
and renders for some minutes, later ones only listen. The figures count only when the set is hard enough: the usual
Librosa recipe must score at most 0.65 in `tempo_acc1` and 0.62 in `key_exact`.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CalledProcessError

from benchmarks._hearing import clips, environment, table
from benchmarks._hearing.score import Truth, scores
from benchmarks._mean import Mean

OURS, USUAL = "muzikantas", "librosa usual recipe"
JUDGES = (
    USUAL,
    "essentia multifeature, edma",
    "essentia degara, bgate",
    "essentia percival, krumhansl",
    "essentia MusicExtractor",
    "aubio",
)

#: The usual recipe may not score more than this, or the set is too easy to tell engines apart.
HARD_ENOUGH = {"tempo_acc1": 0.65, "key_exact": 0.62}
FEWEST_CLIPS = 150

PROCESSES = 2


def main() -> None:
    """Build the set, let every engine hear it, and print what they scored."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hearing", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line of standard output is one JSON object")
    parser.add_argument("--seed", type=int, default=6, help="which tunes, tempi and instruments are drawn")
    parser.add_argument("--limit", type=int, default=170, help="how many clips are heard")
    given = parser.parse_args()
    env = environment.prepare()
    folder, rows = clips.rendered(env, seed=given.seed, count=given.limit, processes=PROCESSES)
    truths = {name: clips.truth(row) for name, row in rows.items()}
    scored, missing = _judge(env, [folder / name for name in truths], truths)
    times = table.times(env, folder, sorted(truths))
    figures = _figures(scored, missing, times, len(truths))
    sys.stderr.write(_text(scored, missing, times, counts=bool(figures["counts"])))
    print(json.dumps(figures, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


def _judge(
    env: environment.Environment, files: list[Path], truths: dict[str, Truth]
) -> tuple[dict[str, dict[str, Mean]], dict[str, str]]:
    """Score all engines that are there, two at a time; name the reason for those that are not, or that crash."""
    missing = {
        name: f"not installed: {env.missing[name.split()[0]]}" for name in JUDGES if name.split()[0] in env.missing
    }
    present = [name for name in (OURS, *JUDGES) if name not in missing]
    scored = {}
    with ThreadPoolExecutor(PROCESSES) as threads:
        running = {name: threads.submit(clips.heard, env, name, files) for name in present}
    for name, future in running.items():
        try:
            scored[name] = scores(future.result(), truths)
        except CalledProcessError as error:
            if name in (OURS, USUAL):
                raise
            missing[name] = f"crashed: exit code {error.returncode}"
    return scored, missing


def _figures(
    scored: dict[str, dict[str, Mean]], missing: dict[str, str], times: dict[str, table.Row], n: int
) -> dict[str, object]:
    """Everything for the JSON line; ours on top, the others under `peers`."""
    values = {name: {key: round(mean.value, 3) for key, mean in row.items()} for name, row in scored.items()}
    errors = {key: round(mean.error, 3) for key, mean in scored[OURS].items()}
    timed = {name: row.figures(times[table.DECODING]) for name, row in times.items()}
    hard = all(values[USUAL][key] <= limit for key, limit in HARD_ENOUGH.items())
    ours = timed[OURS]
    return {
        **values[OURS],
        "standard_error": errors,
        "time_over_decode": ours["over_decode"],
        "time_over_decode_and_resample": times[OURS].figures(times[table.RESAMPLING])["over_decode"],
        "cold_s": ours["cold_s"],
        "peak_mb_4min": timed[table.FOUR_MINUTES]["peak_mb"],
        "peak_mb_60min": timed[table.SIXTY_MINUTES]["peak_mb"],
        "n_tempo": n,
        "n_key": n,
        "counts": hard and n >= FEWEST_CLIPS,
        "times": timed,
        "peers": {name: values[name] for name in scored if name != OURS} | missing,
    }


def _text(
    scored: dict[str, dict[str, Mean]], missing: dict[str, str], times: dict[str, table.Row], *, counts: bool
) -> str:
    """The same for people."""
    names = ("tempo_acc1", "tempo_acc2", "tempo_fine", "key_exact", "key_mirex")
    lines = [f"{'':32}" + "".join(f"{name:>16}" for name in names)]
    for engine, row in scored.items():
        cells = [f"{row[name].value:.3f} ± {row[name].error:.3f}" if name in row else "-" for name in names]
        lines.append(f"{engine:32}" + "".join(f"{cell:>16}" for cell in cells))
    lines += [f"{engine:32} {reason}" for engine, reason in missing.items()]
    lines += ["", f"{'':32}{'warm s':>10}{'cold s':>10}{'/ decode':>10}{'peak MB':>10}"]
    for engine, timed in times.items():
        figures = timed.figures(times[table.DECODING])
        cells = [
            "-" if figures[name] is None else f"{figures[name]}"
            for name in ("warm_s", "cold_s", "over_decode", "peak_mb")
        ]
        lines.append(f"{engine:32}" + "".join(f"{cell:>10}" for cell in cells))
    verdict = "hard enough to count" if counts else "too easy or too small to count"
    return "\n".join([*lines, "", f"The set is {verdict}.", ""])


if __name__ == "__main__":
    main()
