"""The files that the owner keeps beside the package: in a checkout at its root, in a wheel inside the package."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from muzikantas.domain.errors import InputError

PACKAGE = Path(__file__).parent


def path(name: str) -> Path:
    """Find a shipped file or folder, from whichever folder one stands in."""
    inside = PACKAGE / "shipped" / name
    return inside if inside.exists() else PACKAGE.parent / name


def load(name: str) -> SimpleNamespace:
    """Read a shipped Python file of plain data."""
    return load_file(path(name))


def load_file(file: str | Path) -> SimpleNamespace:
    """Read a Python file of plain data. Raises `InputError` when it is not there."""
    if not Path(file).is_file():
        raise InputError(f"{file} is not there; it was named as a file of settings")
    names = runpy.run_path(str(file))
    return SimpleNamespace(**{name: value for name, value in names.items() if not name.startswith("_")})
