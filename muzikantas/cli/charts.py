"""`muzikantas charts`: real chart files into the database."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from sqlalchemy.orm import Session

from muzikantas.analysis.chart_lines import Entry
from muzikantas.analysis.charts import chart_of, read_entries
from muzikantas.analysis.reports import BadLine
from muzikantas.cli.importing import SKIP, Account, LeftOut, import_files
from muzikantas.clients.chart_source import lines_of
from muzikantas.domain.errors import InputError
from muzikantas.domain.licence import Licences
from muzikantas.models import chart
from muzikantas.settings import settings


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
    import_files(ChartFiles(settings().licences), files, skip_bad_lines=skip_bad_lines, as_json=as_json)


class ChartFiles:
    """Chart files, which may be large: read and stored line by line."""

    def __init__(self, licences: Licences) -> None:
        self._licences = licences

    def take(self, session: Session, path: Path, account: Account, *, skip_bad_lines: bool) -> None:
        """Import one file: whole, or with bad lines skipped, or not at all."""
        try:
            self._licences.check_store(chart_of(path.name).source)
        except InputError as error:
            raise InputError(f"{path}: {str(error).removeprefix(f'{path.name}: ')}") from None
        entries = read_entries(lines_of(path), path.name)
        merged = chart.import_entries(session, self._good(entries, account, skip_bad_lines), file=path.name)
        account.new, account.changed = merged.new, merged.changed
        if account.rejected and not skip_bad_lines:
            account.refuse(SKIP)
            raise LeftOut

    @staticmethod
    def _good(entries: Iterable[Entry | BadLine], account: Account, skip_bad_lines: bool) -> Iterator[Entry]:  # noqa: FBT001 (the command's flag)
        """Give the good lines and count the others; after a bad one that is not to be skipped, only count."""
        for entry in entries:
            account.rows += 1
            if isinstance(entry, BadLine):
                account.reject(entry)
            elif skip_bad_lines or not account.rejected:
                yield entry
