"""The rules of the house that no linter knows: small files, settings read at the top, reasons beside exceptions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "muzikantas"
FOLDERS = ("muzikantas", "tests", "migrations", "benchmarks", "docs")
LONGEST_FILE = 400

#: Who may read the settings; everybody else is handed values (and may name the type `Settings`).
READERS = {"api", "celery", "cli", "local", "studio"}

NOQA = re.compile(r"#\s*noqa(?P<codes>:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?(?P<reason>.*)")
TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<codes>\[[a-z-]+(?:,\s*[a-z-]+)*\])?(?P<reason>.*)")


def sources() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted([*found, *ROOT.glob("*.py")])


def comments(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if "#" in line:
            yield number, line[line.index("#") :]


def test_files_are_small() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_nothing_prints() -> None:
    printing = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] != "cli"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_settings_are_read_at_the_top_only() -> None:
    reading = [
        f"{path.relative_to(ROOT)} imports {name.name}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).with_suffix("").parts[0] not in {*READERS, "settings"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "muzikantas.settings"
        for name in node.names
        if name.name != "Settings"
    ]
    assert reading == []


def test_nobody_reads_the_environment_past_the_settings() -> None:
    """The settings may, and what hands a child process its environment."""
    allowed = {"settings.py", "cli/analyze.py", "local/child.py", "local/programs.py", "local/stack.py"}
    reading = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert reading <= allowed


@pytest.mark.parametrize("pattern", [NOQA, TYPE_IGNORE], ids=["noqa", "type: ignore"])
def test_every_exception_names_its_code_and_its_reason(pattern: re.Pattern[str]) -> None:
    bare = []
    for path in sources():
        for number, comment in comments(path):
            match = pattern.search(comment)
            if match is None or path == Path(__file__):
                continue
            # Two exceptions on one line may share the reason that stands last.
            if match["codes"] is None or not re.search(r"[A-Za-z]{3,}", match["reason"]):
                bare.append(f"{path.relative_to(ROOT)}:{number} {comment}")
    assert bare == []


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|\bNotImplementedError\b")
    left = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if marks.search(line)
    ]
    assert left == []
