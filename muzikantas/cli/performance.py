"""`muzikantas performance`: what platforms and distributors report of our releases, from files."""

import json
from pathlib import Path
from typing import Literal

import click

from muzikantas.analysis.statement_headers import Told
from muzikantas.cli.importing import import_files
from muzikantas.cli.performance_files import PerformanceFiles, PromotionFiles, import_decided
from muzikantas.cli.rows import rows
from muzikantas.domain.errors import InputError
from muzikantas.domain.money import decimal_text
from muzikantas.models import artist, audit, review, statement, track

OPERATOR = "operator"


@click.group()
def performance() -> None:
    """Streams, listeners and revenue of our releases."""


@performance.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--map", "columns", multiple=True, metavar="COLUMN=FIELD", help="What a column means; may be repeated.")
@click.option("--track", "track_id", type=int, help="The track that all lines are about, by id.")
@click.option("--currency", help="Of amounts without one, such as EUR.")
@click.option("--decimal", type=click.Choice(["point", "comma"]), help="What stands before decimals.")
@click.option("--skip-bad-lines", is_flag=True, help="Import the good lines of a file; exit code 1 if any was bad.")
@click.option("--json", "as_json", is_flag=True, help="An object a file, a last one with the totals.")
def import_performance(
    files: tuple[Path, ...],
    columns: tuple[str, ...],
    track_id: int | None,
    currency: str | None,
    decimal: Literal["point", "comma"] | None,
    skip_bad_lines: bool,  # noqa: FBT001 (click's signature)
    as_json: bool,  # noqa: FBT001 (as above)
) -> None:
    """Import streams reports, exports of Spotify for Artists, and statements of DistroKid and TuneCore.

    The header tells which it is. A line is about the track with that id, else that ISRC, else that title; lines
    that fit none wait on a list (`performance review`). A file is imported whole or not at all; the same one again
    changes nothing, corrections win.
    """
    told = Told(
        columns=dict(_pair(each) for each in columns),
        track=track_id,
        currency=_currency(currency),
        mark={"point": ".", "comma": ",", None: None}[decimal],
    )
    kind = PerformanceFiles(told=told)
    try:
        import_files(kind, files, skip_bad_lines=skip_bad_lines, as_json=as_json)
    finally:
        if kind.unmatched:
            said = (
                f"{kind.unmatched:,} lines fit no track of ours; decide whose they are: `muzikantas performance review`"
            )
            click.echo(said, err=True)


@performance.command("promotions")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--skip-bad-lines", is_flag=True, help="Import the good lines of a file; exit code 1 if any was bad.")
@click.option("--json", "as_json", is_flag=True, help="An object a file, a last one with the totals.")
def import_promotions(files: tuple[Path, ...], skip_bad_lines: bool, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Import what promoted our tracks: playlists and their followers, advertisements and their money.

    Columns: track, isrc or title; kind (playlist or ad), from, to, size; name, currency. Outcomes are learned from
    without it. A file is imported whole or not at all; the same one again changes nothing, corrections win.
    """
    import_files(PromotionFiles(), files, skip_bad_lines=skip_bad_lines, as_json=as_json)


@performance.command("outcomes")
@click.argument("name", metavar="ARTIST")
@click.option("--json", "as_json", is_flag=True, help="An object a track, a last one about another way of choosing.")
def outcomes(name: str, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Show what is learned from an artist's tracks: streams of the first days, what was taken off, what counts."""
    from muzikantas.cli.performance_outcomes import tell  # noqa: PLC0415 (only this one computes)

    with rows() as studio:
        tell(studio, name, as_json=as_json)


@performance.command("review")
@click.option("--json", "as_json", is_flag=True, help="An object a name.")
def review_names(as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """List what reports call tracks that fit none of ours."""
    with rows() as studio, studio.begin() as session:
        waiting = review.waiting(session)
    for each in waiting:
        if as_json:
            said = {"id": each.name.id, **vars(each.name.names), "reason": each.name.reason}
            click.echo(json.dumps({**said, "lines": each.lines, "files": each.files}, ensure_ascii=False))
        else:
            click.echo(f"{each.name.id:>6}  {each.lines:>6,} lines  {each.name.names}")
            click.echo(f"                      {each.name.reason}; in {', '.join(each.files)}")
    if not waiting and not as_json:
        click.echo("Every line that was imported is about a track of ours.")


@performance.command("assign")
@click.argument("name_id", type=int)
@click.argument("track_id", type=int, required=False)
@click.option("--not-ours", is_flag=True, help="It is none of our tracks: its lines are dropped, now and later.")
def assign(name_id: int, track_id: int | None, not_ours: bool) -> None:  # noqa: FBT001 (click's signature)
    """Decide which track a name of the list (`performance review`) is, and import its lines."""
    if (track_id is None) != not_ours:
        raise InputError("give either the id of the track that it is, or --not-ours")
    with rows() as studio, studio.begin() as session:
        if track_id is not None:
            track.get(session, track_id)
        lines = review.decide(session, name_id, track_id, by=OPERATOR)
        imported = import_decided(session, track_id, lines) if track_id is not None else 0
        audit.note(session, OPERATOR, "named a track", f"review:{name_id}", track_id=track_id, lines=len(lines))
    click.echo(f"{imported:,} lines imported" if track_id is not None else f"{len(lines):,} lines dropped")


@performance.command("revenue")
@click.argument("name", metavar="ARTIST")
@click.option("--json", "as_json", is_flag=True, help="An object a month and currency.")
def revenue(name: str, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Show what statements have paid for an artist's tracks, by month and currency."""
    with rows() as studio, studio.begin() as session:
        paid = statement.revenue(session, artist.find(session, name).id)
    for period, currency, micros in paid:
        amount = decimal_text(micros)
        said = {"period": period, "currency": currency, "revenue": amount}
        click.echo(json.dumps(said) if as_json else f"{period:<8} {amount:>14} {currency}")
    if not paid and not as_json:
        click.echo(f"No statement about tracks of {name} has been imported.")


def _pair(text: str) -> tuple[str, str]:
    column, separator, field = text.rpartition("=")
    if not separator or not column.strip():
        raise InputError(f"--map is {text!r}; expected COLUMN=FIELD, such as --map 'Net amount=revenue'")
    return column.strip(), field.strip().lower()


def _currency(text: str | None) -> str | None:
    if text is not None and not (len(text) == 3 and text.isalpha() and text.isascii()):
        raise InputError(f"--currency is {text!r}; expected three letters such as EUR")
    return text.upper() if text else None
