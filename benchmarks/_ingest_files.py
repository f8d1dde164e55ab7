"""Chart files of our own making: as long as asked for, the same for the same seed, like real ones in form."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

COUNTRIES = ("global", "japan", "spain", "usa")
POSITIONS = 200
BEGINNING = date(1990, 1, 1)
HEADER = "date,position,song,artist,popularity,duration_ms,album_type,total_tracks,release_date,is_explicit\n"
SPOTIFY = "rank,uri,artist_names,track_name,source,peak_rank,previous_rank,days_on_chart,streams\n"
#: Tracks that are on the charts in the long run, and the share of positions that change hands each day.
TRACKS, TURNOVER = 20_000, 0.1
WORDS = (
    "Night",
    "Señorita",
    "Zażółć",
    "夜に駆ける",
    "Amor",
    "ハルカ",
    "Blue",
    "Ángel",
    "Été",
    "愛",
    "Road",
    "Ночь",
    "Echo",
)


def position_files(folder: Path, rows: int, *, seed: int = 1) -> list[Path]:
    """Write one growing file a country with `rows` lines in all; give the files."""
    days = -(-rows // (POSITIONS * len(COUNTRIES)))
    files = []
    for number, country in enumerate(COUNTRIES):
        path = folder / f"top{POSITIONS}-daily-{country}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADER)
            for day, chart in _charts(days, random.Random(seed + number), _positions):  # noqa: S311 (no secret)
                said = day.isoformat()
                file.write("".join([f"{said},{place},{track}" for place, track in enumerate(chart, start=1)]))
        files.append(path)
    return files


def spotify_files(folder: Path, files: int, *, seed: int = 1) -> list[Path]:
    """Write Spotify's daily form, a file of 200 lines for each date; give the files."""
    made = []
    for day, chart in _charts(files, random.Random(seed), _spotify):  # noqa: S311 (no secret)
        path = folder / f"regional-de-daily-{day.isoformat()}.csv"
        rows = [f"{place},{track},{place},-1,1,{9_000_000 // place}\n" for place, track in enumerate(chart, start=1)]
        path.write_text(SPOTIFY + "".join(rows), encoding="utf-8")
        made.append(path)
    return made


def _charts(
    days: int, rng: random.Random, track: Callable[[int, random.Random], str]
) -> Iterator[tuple[date, Sequence[str]]]:
    """Give a chart a day: a tenth of the positions change hands, the others stay."""
    tracks = [track(number, rng) for number in range(TRACKS)]
    chart = rng.sample(tracks, POSITIONS)
    for later in range(days):
        for position in rng.sample(range(POSITIONS), int(POSITIONS * TURNOVER)):
            chart[position] = rng.choice(tracks)
        yield BEGINNING + timedelta(days=later), chart


def _positions(_: int, rng: random.Random) -> str:
    released = date(2015, 1, 1) + timedelta(days=rng.randrange(4000))
    kind = rng.choice(("album", "single"))
    numbers = f"{rng.randrange(100)},{rng.randrange(120_000, 300_000)},{kind},{rng.randrange(1, 24)}"
    return f"{_title(rng)},{_artists(rng)},{numbers},{released.isoformat()},{rng.random() < 0.3}\n"


def _spotify(number: int, rng: random.Random) -> str:
    return f'"spotify:track:{number:022d}",{_artists(rng)},{_title(rng)},"A Label"'


def _title(rng: random.Random) -> str:
    words = " ".join(rng.choices(WORDS, k=rng.randrange(1, 5)))
    return f'"{words} ""live"""' if rng.random() < 0.1 else words


def _artists(rng: random.Random) -> str:
    return '"' + ", ".join(" ".join(rng.choices(WORDS, k=2)) for _ in range(rng.choice((1, 1, 2)))) + '"'
