"""Chart files into PostgreSQL: rows a second from file to commit, beside plain COPY and pandas; memory; a query.

`ratio_to_copy` is our pace over that of a COPY of the same rows, parsed and encoded beforehand, into the same table
with the same indexes. Both take turns, and the middle one of the rounds counts. Memory is that of the operator's
command. The query is that of the market's analysis: one country's newest four weeks, into Python.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from benchmarks import _ingest_files as made
from benchmarks import _ingest_peers as peers
from muzikantas.analysis.charts import read_entries
from muzikantas.analysis.reports import BadLine
from muzikantas.clients.chart_source import lines_of
from muzikantas.local import Home, remove_servers_folder
from muzikantas.local.stack import database_only
from muzikantas.models import chart, market
from muzikantas.studio import studio

MILLION = 1_000_000
ROUNDS = 3
SMALL_FILES = 500
QUERY_DAYS, QUERIES = 28, 15


def main() -> None:
    """Measure all of it on a PostgreSQL of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only one JSON line")
    parser.add_argument("--rows", type=int, default=MILLION, help="rows of the smaller table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        home = Path(folder) / "home"
        with database_only(home):
            figures = measure(Path(folder), given.rows)
        remove_servers_folder(Home(home))
    print(json.dumps(figures, indent=None if given.json else 2))  # noqa: T201 (a command's own output)


def measure(folder: Path, rows: int) -> dict[str, Any]:
    """Run everything, the small table first; say what is next, because all of it takes minutes."""
    _say(f"{rows:,} rows: ours and COPY in turns, {ROUNDS} rounds")
    files = made.position_files(folder, rows)
    pace = _pace(files)
    few = _pace(made.spotify_files(folder, SMALL_FILES))
    _say(f"{rows:,} rows by pandas")
    pandas_s = _seconds(lambda: peers.pandas_to_sql(studio().engine, files))
    _empty()
    _say(f"{rows:,} rows by the command, one file of them again, queries")
    small = {**_import_by_command(files), **_queries()}
    again = _import_by_command(files[:1])
    _empty()
    _say(f"{10 * rows:,} rows by the command, queries")
    large = {**_import_by_command(made.position_files(folder, 10 * rows)), **_queries()}
    return {
        **pace,
        "rows": small["rows"],
        "rows_again_per_s": again["rows_per_s"],
        "peak_memory_mb": max(small["peak_memory_mb"], again["peak_memory_mb"]),
        "country_query_ms": small["country_query_ms"],
        "ten_times_as_many": large,
        "peak_memory_mb_at_ten_times": large["peak_memory_mb"],
        "country_query_ms_at_ten_times": large["country_query_ms"],
        "files_of_200_rows": few,
        "peers": {"pandas_to_sql": {"rows": small["rows"], "rows_per_s": round(small["rows"] / pandas_s)}},
    }


def _pace(files: Sequence[Path]) -> dict[str, float]:
    """Compare ours with COPY in turns: a machine that is slow for a while is slow for both."""
    encoded = [peers.encoded(path) for path in files]
    rows = sum(each.rows for each in encoded)
    ours, plain = [], []
    for _ in range(ROUNDS):
        _empty()
        plain.append(_seconds(lambda: peers.copy(studio().engine, encoded)))
        _empty()
        ours.append(_seconds(lambda: _import(files)))
    return {
        "rows_per_s": round(rows / statistics.median(ours)),
        "copy_rows_per_s": round(rows / statistics.median(plain)),
        "ratio_to_copy": round(statistics.median(p / o for p, o in zip(plain, ours, strict=True)), 3),
    }


def _import(files: Iterable[Path]) -> None:
    for path in files:
        with studio().begin() as session:
            entries = (entry for entry in read_entries(lines_of(path), path.name) if not isinstance(entry, BadLine))
            chart.import_entries(session, entries, file=path.name)


def _import_by_command(files: Sequence[Path]) -> dict[str, float]:
    """Run the operator's command as a process of its own."""
    argv = [sys.executable, "-m", "benchmarks._ingest_command", *map(str, files)]
    started = time.perf_counter()
    said = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    seconds = time.perf_counter() - started
    totals, memory = json.loads(said[-2]), json.loads(said[-1])
    return {
        "rows": totals["rows"],
        "rows_per_s": round(totals["rows"] / seconds),
        "peak_memory_mb": round(memory["peak_memory_mb"], 1),
    }


def _queries() -> dict[str, float]:
    """Time what is asked of the table, and weigh it."""
    with studio().begin() as session:
        session.execute(text("ANALYZE chart_entries"))
        size: int = session.execute(select(func.pg_total_relation_size("chart_entries"))).scalar_one()
    return {
        "country_query_ms": round(statistics.median(_query_s() for _ in range(QUERIES)) * 1000, 2),
        "list_of_charts_ms": round(statistics.median(_list_s() for _ in range(QUERIES)) * 1000, 2),
        "table_and_indexes_mb": round(size / 2**20),
    }


def _query_s() -> float:
    with studio().begin() as session:
        name = ("positions", f"top{made.POSITIONS}-daily", "ES")
        started = time.perf_counter()
        (newest,) = chart.last_days(session, *name, count=1)
        found = list(market.entries(session, *name, since=newest - timedelta(days=QUERY_DAYS - 1)))
        seconds = time.perf_counter() - started
    assert len(found) == QUERY_DAYS * made.POSITIONS
    return seconds


def _list_s() -> float:
    with studio().begin() as session:
        started = time.perf_counter()
        assert len(chart.charts(session)) == len(made.COUNTRIES)
        return time.perf_counter() - started


def _say(step: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {step}\n")


def _seconds(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _empty() -> None:
    """Begin as new."""
    with studio().begin() as session:
        session.execute(text("TRUNCATE chart_entries, chart_corrections"))


if __name__ == "__main__":
    main()
