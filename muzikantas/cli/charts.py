"""`muzikantas charts`: real chart files into the database."""

from collections.abc import Iterable
from pathlib import Path

import click
from sqlalchemy.orm import Session

from muzikantas.analysis.charts import read_chart
from muzikantas.analysis.reports import BadLine
from muzikantas.cli.importing import Form, Row, import_files
from muzikantas.models import chart
from muzikantas.models.bulk import Merged


@click.group()
def charts() -> None:
    """Charts: what listeners of a country play."""


@charts.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--skip-bad-lines", is_flag=True, help="Import the good lines of a file; exit code 1 if any was bad.")
@click.option("--json", "as_json", is_flag=True, help="An object a file, a last one with the totals.")
def import_charts(files: tuple[Path, ...], skip_bad_lines: bool, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Import chart files: Spotify's (of today, and until 2021), and daily position files.

    The file's name tells the chart, such as regional-global-weekly-2026-01-01.csv or top50-daily-japan.csv. A file is
    imported whole or not at all; the same one again changes nothing, a corrected one wins.
    """
    import_files(Form(read=_read, store=_store), files, skip_bad_lines=skip_bad_lines, as_json=as_json)


def _read(_: Session, text: str, name: str) -> Iterable[Row | BadLine]:
    return read_chart(text, name)


def _store(session: Session, rows: Iterable[Row], name: str) -> Merged:
    return chart.import_rows(session, rows, file=name)
