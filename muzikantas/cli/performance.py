"""`muzikantas performance`: what platforms and distributors report of our releases, from files."""

from collections.abc import Iterable
from pathlib import Path

import click
from sqlalchemy.orm import Session

from muzikantas.analysis.reports import BadLine, Song, matched, read_report
from muzikantas.cli.importing import Form, Row, import_files
from muzikantas.models import artist, track
from muzikantas.models import performance as metrics
from muzikantas.models.bulk import Merged

#: Columns are as long as this; a file's name may be longer.
LONGEST_SOURCE = 200


@click.group()
def performance() -> None:
    """Streams, listeners and revenue of our releases."""


@performance.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--skip-bad-lines", is_flag=True, help="Import the good lines of a file; exit code 1 if any was bad.")
@click.option("--json", "as_json", is_flag=True, help="An object a file, a last one with the totals.")
def import_performance(files: tuple[Path, ...], skip_bad_lines: bool, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Import streams reports (CSV: date, track or isrc or title, platform, country, streams, and more).

    A line is about the track with that id, else that ISRC, else exactly that title. A file is imported whole or not at
    all; the same one again changes nothing, corrections win.
    """
    import_files(Form(read=_read, store=_store), files, skip_bad_lines=skip_bad_lines, as_json=as_json)


def _read(session: Session, text: str, _: str) -> Iterable[Row | BadLine]:
    songs = [
        Song(id=song.id, isrc=song.isrc, title=song.title)
        for owner in artist.everyone(session)
        for song in track.of_artist(session, owner.id)
    ]
    return matched(read_report(text), songs)


def _store(session: Session, rows: Iterable[Row], name: str) -> Merged:
    return metrics.import_rows(session, rows, source=name[-LONGEST_SOURCE:])
