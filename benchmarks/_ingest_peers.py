"""The other ways to bring chart files into the same table: plain COPY of rows that are parsed already, and pandas."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # it publishes no types
from sqlalchemy import Engine

from muzikantas.analysis.chart_lines import COLUMNS
from muzikantas.analysis.charts import chart_of, read_entries
from muzikantas.analysis.reports import BadLine
from muzikantas.clients.chart_source import lines_of

#: Columns of position files that are not columns of the table.
DETAILS = ["popularity", "duration_ms", "album_type", "total_tracks", "release_date", "is_explicit"]


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A file's rows as COPY takes them."""

    rows: int
    text: bytes


def encoded(path: Path) -> Encoded:
    """Parse a file beforehand and write its rows in COPY's text format."""
    lines = [
        "\t".join("\\N" if value is None else _escaped(str(value)) for value in (*entry, path.name))
        for entry in read_entries(lines_of(path), path.name)
        if not isinstance(entry, BadLine)
    ]
    return Encoded(rows=len(lines), text=("\n".join(lines) + "\n").encode())


def _escaped(field: str) -> str:
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def copy(engine: Engine, files: Iterable[Encoded]) -> None:
    """Send each file's rows by one COPY in a transaction of its own."""
    for each in files:
        with engine.begin() as connection:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor:
                names = ", ".join([*COLUMNS, "file"])
                cursor.copy_expert(f"COPY chart_entries ({names}) FROM STDIN", io.BytesIO(each.text), 1 << 20)


def pandas_to_sql(engine: Engine, files: Sequence[Path]) -> None:
    """Read position files by pandas and append them by `to_sql`."""
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE chart_entries")
    for path in files:
        chart = chart_of(path.name)
        read = pd.read_csv(path, dtype={"song": str, "artist": str}, keep_default_na=False)
        frame = pd.DataFrame(
            {
                "source": chart.source,
                "chart": chart.chart,
                "country": chart.country,
                "day": read["date"],
                "position": read["position"],
                "track_title": read["song"],
                "artist_names": read["artist"],
                "details": [json.dumps(each) for each in read[DETAILS].astype(str).to_dict("records")],
                "file": path.name,
            }
        )
        with engine.begin() as connection:
            frame.to_sql("chart_entries", connection, if_exists="append", index=False, chunksize=10_000)
