"""What every page is made with: one way to lay templates out, one way to put the file in its place."""

import os
import tempfile
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(**names: object) -> Environment:
    """Templates of ours, with everything from outside escaped; `names` are what they may use."""
    made = Environment(
        loader=PackageLoader("muzikantas.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(names)
    return made


def put(path: Path, text: str) -> None:
    """Write the file aside and rename it: whoever has the old page open never loads half a new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
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
