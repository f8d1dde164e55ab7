"""Rows → one HTML file with its pictures, which opens without a network."""

import re
import unicodedata
from pathlib import Path

from muzikantas.models import artist
from muzikantas.report import clips, pages
from muzikantas.report.market import artist_section
from muzikantas.report.paper import put
from muzikantas.report.rows import gather
from muzikantas.studio import Studio

__all__ = ["slug", "write_report"]

#: Characters of a file's name, well below what any file system takes.
NAME_CHARS = 60


def write_report(studio: Studio, artist_id: int, folder: Path) -> Path:
    """Write the report on an artist into `folder`, over an older one; give its path."""
    with studio.begin() as session:
        names = {row.id: row.name for row in artist.everyone(session)}
    report = gather(studio, artist_id)
    keys = [slot.track.audio_key for turn in report.cycles for slot in turn.slots if slot.track]
    sound = clips.cut(studio.store, keys, most_chars=clips.MOST_CHARS)
    page = pages.render(report, sound, market=artist_section(studio, artist_id))
    path = folder / f"{_file_name(names, artist_id)}.html"
    put(path, page)
    return path


def slug(name: str) -> str:
    """Turn a name into the stem of a file's name; letters of any script stay.

    >>> slug("Nova Rey"), slug("Éla & the 3"), slug("../")
    ('nova-rey', 'ela-the-3', 'artist')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "-", plain)[:NAME_CHARS].strip("-") or "artist"


def _file_name(names: dict[int, str], artist_id: int) -> str:
    """Give the artist's slug; with the id where an earlier artist has the same."""
    mine = slug(names[artist_id])
    taken = any(slug(name) == mine for id_, name in names.items() if id_ < artist_id)
    return f"{mine}-{artist_id}" if taken else mine
