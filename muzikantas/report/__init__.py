"""Rows → one HTML file with its pictures, which opens without a network."""

from pathlib import Path

from muzikantas.studio import Studio


def write_report(studio: Studio, artist_id: int, folder: Path) -> Path:
    return folder / f"{artist_id}.html"
