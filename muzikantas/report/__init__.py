"""Rows → one HTML file with its pictures, which opens without a network."""

import os
import re
import tempfile
import unicodedata
from pathlib import Path

from muzikantas.models import artist
from muzikantas.report import clips, pages
from muzikantas.report.market import artist_section
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
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_file_name(names, artist_id)}.html"
    _replace(path, page)
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


def _replace(path: Path, text: str) -> None:
    """Write the file aside and rename it: whoever has the old page open never loads half a new one."""
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.stem[:20]}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        # A temporary file is made for its owner alone; a report is for whoever may read its folder.
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
