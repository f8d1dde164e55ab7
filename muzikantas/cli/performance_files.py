"""One file about how releases did into the database: its lines matched, those that fit no track put on a list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis.promotion_lines import about_tracks as promotions_of
from muzikantas.analysis.promotion_lines import read_promotions
from muzikantas.analysis.reports import BadHeader, BadLine, ReportRow, Unmatched, matched
from muzikantas.analysis.songs import Roster, Song
from muzikantas.analysis.statement_headers import Told
from muzikantas.analysis.statements import StatementRow, about_tracks, read, totals
from muzikantas.cli.importing import SKIP, Account, LeftOut, read_text
from muzikantas.models import artist, review, statement, track
from muzikantas.models import performance as metrics
from muzikantas.models.bulk import Merged

#: Columns are as long as this; a file's name may be longer.
LONGEST_NAME = 200


@dataclass(kw_only=True)
class PerformanceFiles:
    """Files of any known kind, with what the operator says of them."""

    told: Told
    unmatched: int = 0  #: lines put on the list so far

    def take(self, session: Session, path: Path, account: Account, *, skip_bad_lines: bool) -> None:
        """Import one file: whole, or with bad lines skipped, or not at all; unmatched lines are no bad ones."""
        lines = list(read(read_text(path), path.name, self.told))
        account.rows = len(lines)
        found = _whose(lines, roster(session))
        bad = [line for line in found if isinstance(line, BadLine) and not isinstance(line, Unmatched)]
        _judge(bad, account, skip_bad_lines=skip_bad_lines)
        form = review.STATEMENT if any(isinstance(line, StatementRow) for line in lines) else review.DAY
        merged = _store(session, [line for line in found if isinstance(line, dict)], form, path.name[-LONGEST_NAME:])
        account.new, account.changed = merged.new, merged.changed
        open_ = [line for line in found if isinstance(line, Unmatched)]
        review.keep(session, open_, form=form, file=path.name[-LONGEST_NAME:])
        self.unmatched += len(open_)


class PromotionFiles:
    """Files about playlists and advertisements. An operator writes them: a line that fits no track is a wrong one."""

    def take(self, session: Session, path: Path, account: Account, *, skip_bad_lines: bool) -> None:
        """Import one file: whole, or with bad lines skipped, or not at all."""
        found = list(promotions_of(read_promotions(read_text(path)), roster(session)))
        account.rows = len(found)
        _judge([line for line in found if isinstance(line, BadLine)], account, skip_bad_lines=skip_bad_lines)
        good = [line for line in found if isinstance(line, dict)]
        merged = metrics.import_promotions(session, good, file=path.name[-LONGEST_NAME:])
        account.new, account.changed = merged.new, merged.changed


def roster(session: Session) -> Roster:
    """Give all our tracks by what reports may call them, and what operators have decided of other names."""
    songs = [
        Song(id=song.id, isrc=song.isrc, title=song.title, artist=owner.name)
        for owner in artist.everyone(session)
        for song in track.of_artist(session, owner.id)
    ]
    return Roster(songs, review.decisions(session))


def import_decided(session: Session, track_id: int, lines: Iterable[review.ReviewLine]) -> int:
    """Import lines that waited for a decision, now that it is known whose they are; give how many there were."""
    by_file: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        by_file.setdefault((line.form, line.file), []).append({"track_id": track_id, **line.content})
    for (form, file), rows in by_file.items():
        if form == review.STATEMENT:
            statement.add_rows(session, rows, file=file)
        else:
            metrics.import_rows(session, rows, source=file)
    return sum(map(len, by_file.values()))


def _judge(bad: Iterable[BadLine], account: Account, *, skip_bad_lines: bool) -> None:
    """Account for lines that cannot be used. Raises `LeftOut` unless they are to be skipped and the header is good."""
    for line in bad:
        account.reject(line)
    no_header = account.rejected > 0 and isinstance(account.rejected_lines[0], BadHeader)
    if account.rejected and (no_header or not skip_bad_lines):
        account.refuse("" if no_header else SKIP)
        raise LeftOut


def _whose(lines: Sequence[ReportRow | StatementRow | BadLine], known: Roster) -> list[dict[str, Any] | BadLine]:
    """Match the lines of a file; all of them are of one kind."""
    days = [line for line in lines if isinstance(line, ReportRow | BadLine)]
    if len(days) == len(lines):
        return list(matched(days, known))
    return list(about_tracks((line for line in lines if isinstance(line, StatementRow | BadLine)), known))


def _store(session: Session, rows: list[dict[str, Any]], form: str, file: str) -> Merged:
    if form == review.STATEMENT:
        return statement.import_rows(session, totals(rows, about="track_id"), file=file)
    return metrics.import_rows(session, rows, source=file)
