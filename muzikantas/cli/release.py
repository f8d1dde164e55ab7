"""`muzikantas release` and `releases`: decide that a track goes out, and see what did."""

import json
from typing import Any

import click
from sqlalchemy.orm import Session

from muzikantas.cli.rows import rows
from muzikantas.cli.sending import send
from muzikantas.domain.errors import InputError
from muzikantas.models import artist, audit, track
from muzikantas.models.track import Release, Track

#: Who decided, in the row: a rule has a name of its own.
OPERATOR = "operator"
TITLE_CHARS = 200


@click.command()
@click.argument("track_id", metavar="TRACK", type=click.IntRange(1, 2**63 - 1))
@click.option("--title", help="Release it under this title.")
@click.option("--copy", "as_copy", is_flag=True, help="Release it although it is a copy of another track.")
def release(track_id: int, title: str | None, as_copy: bool) -> None:  # noqa: FBT001 (click's signature)
    """Release TRACK (its number): your decision, written down; workers deliver it."""
    from muzikantas.tasks import canvases  # noqa: PLC0415 (Celery's tasks: only this command pays their import)

    with rows() as studio, studio.begin() as session:
        song = track.get(session, track_id)
        before = {row.track_id: row for row, _ in track.releases(session, song.artist_id)}.get(song.id)
        if before is None and not as_copy:
            _refuse_copy(session, song)
        if title is not None:
            _entitle(song, title, before)
        decided = track.release(session, song, decided_by=OPERATOR)
        if before is None:
            audit.note(session, OPERATOR, "release", f"track:{song.id}", title=song.title)
    if before is not None:
        when = f"went out on {decided.released_on}" if decided.released_on else "is not delivered yet"
        click.echo(f"Track {song.id}, {song.title!r}: released already by {decided.decided_by}; it {when}.")
    else:
        click.echo(f"Track {song.id}, {song.title!r}: released.")
    if decided.published_at is not None:
        return
    try:
        send(canvases.stage("releasing.publish", decided.id))
    except InputError as error:
        click.echo(
            f"Not delivered yet: {error}. Once a stack runs, its reconcile delivers it within minutes.", err=True
        )
    else:
        click.echo("A worker delivers it now; `muzikantas releases` shows the day.")


def _refuse_copy(session: Session, song: Track) -> None:
    """Raise `InputError` for a recording that the label has already: platforms take it for spam."""
    found = audit.newest(session, audit.COPY, f"track:{song.id}")
    if found is not None:
        of = found.details
        raise InputError(
            f"track {song.id} is a copy of track {of['of_track']} ({of['kind']}, {of['score']:.0%} of it agrees); "
            "listen to both, and add --copy if it is to be released all the same"
        )


def _entitle(song: Track, title: str, before: Release | None) -> None:
    """Set a track's title. Raises `InputError` for one that cannot be, or when the release has one already."""
    if before is not None and title.strip() != song.title:
        raise InputError(f"track {song.id} was released as {song.title!r}; its title stays, leave --title out")
    if not 0 < len(title.strip()) <= TITLE_CHARS or not title.isprintable():
        raise InputError(f"--title is {title[:60]!r}, {len(title)} characters; expected 1 to {TITLE_CHARS} on one line")
    song.title = title.strip()


@click.command()
@click.argument("name", metavar="[ARTIST]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def releases(name: str | None, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """List the releases of ARTIST (name or number), or all, oldest first."""
    with rows() as studio, studio.begin() as session:
        owner = artist.find(session, name) if name else None
        found = [_described(session, *pair) for pair in track.releases(session, owner.id if owner else None)]
    if not found and not as_json:
        click.echo("No release yet; `muzikantas release TRACK` decides one.", err=True)
    for line in found:
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            day = line["released_on"] or "not yet   "
            click.echo(f"{line['track']:>6}  {day}  {line['artist']:<20}  {line['title']}  ({line['decided_by']})")


def _described(session: Session, row: Release, song: Track) -> dict[str, Any]:
    return {
        "track": song.id,
        "release": row.id,
        "artist": artist.get(session, song.artist_id).name,
        "title": song.title,
        "genre": song.genre,
        "isrc": song.isrc,
        "decided_by": row.decided_by,
        "decided_at": row.created_at.isoformat(),
        "released_on": row.released_on.isoformat() if row.released_on else None,
    }
