"""Documents that lie fail here: settings, tasks, errors, commands, links and examples are compared with the program."""

import doctest
import importlib
import inspect
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from celery import Celery
from pydantic import SecretStr

import muzikantas
from muzikantas import shipped
from muzikantas.celery import TASK_MODULES, app
from muzikantas.cli.app import cli
from muzikantas.domain import errors
from muzikantas.settings import MUSIC, Settings, read_settings, settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
#: Variables that compose files and programs of others read; ours are the fields of `Settings`.
VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)


@pytest.fixture
def label(monkeypatch: pytest.MonkeyPatch) -> "Celery[Any]":
    """The app with all tasks, and with an address that nobody listens at: nothing here sends anything."""
    monkeypatch.setenv("REDIS_URL", "redis://:unused@127.0.0.1:1/0")
    settings.cache_clear()
    for name in TASK_MODULES:
        importlib.import_module(f"muzikantas.tasks.{name}")
    assert app.conf.task_routes
    return app


def section(page: Path, title: str) -> str:
    """Give the text below a heading, up to the next heading of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^\1 |^# |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {title!r}"
    return found[2]


def cells(text: str) -> list[list[str]]:
    """Give the rows of the tables in a text, without heads and rules."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [row for row in rows if row[0].startswith("`")]


def shown(default: object) -> str:
    """Write a default as the page does: as one would write it into the environment."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None:
        return "(documented)"
    if isinstance(default, bool):
        default = str(default).lower()
    if isinstance(default, tuple):
        default = ",".join(default)
    if isinstance(default, float):
        default = f"{default:g}"
    return f"`{default}`" if isinstance(default, Decimal) or str(default) else "(empty)"


def test_every_setting_stands_in_its_page_with_its_default() -> None:
    rows = {row[0].strip("`"): row[1] for row in cells(section(DOCS / "settings.md", "The variables"))}
    siblings = ("KIE_", "ELEVENLABS_")  # have the same names as SUNO_, and the page says so once
    fields = Settings.variables()
    own = {name: shown(field.default) for name, field in fields.items() if not name.startswith(siblings)}
    assert rows == own
    for sibling in siblings:
        assert {sibling + name[5:] for name in own if name.startswith("SUNO_")} <= fields.keys()
        assert f"`{sibling}`" in (DOCS / "settings.md").read_text()


def test_examples_of_settings_are_good_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _, example in cells(section(DOCS / "settings.md", "The variables")):
        variable = name.strip("`")
        if variable != "MUZ_ISOLATED":  # with it, no address of the world is good
            monkeypatch.setenv(variable, example.strip("`"))
            group, _, own = variable.lower().partition("_")
            made = read_settings()
            value = getattr(getattr(made, group), own) if group in MUSIC.values() else getattr(made, variable.lower())
            assert value != Settings.variables()[variable].default, name
            monkeypatch.delenv(variable)


def test_variables_that_are_read_elsewhere_are_named_there() -> None:
    named = "".join(
        (ROOT / name).read_text()
        for name in ("Dockerfile", "docker-compose.yml", "Makefile", "muzikantas/local/programs.py")
    )
    rows = cells(section(DOCS / "settings.md", "Read elsewhere"))
    assert len(rows) > 5
    for name, *_ in rows:
        assert name.strip("`") not in Settings.variables()
        assert name.strip("`") in named, name


def test_every_variable_of_the_compose_file_is_described() -> None:
    described = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (DOCS / "settings.md").read_text()))
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used
    assert used <= described


def test_no_password_of_the_compose_file_has_a_default() -> None:
    for name, rest in re.findall(
        r"\$\{([A-Z0-9_]*PASSWORD[A-Z0-9_]*)([^}]*)\}", (ROOT / "docker-compose.yml").read_text()
    ):
        assert rest.startswith(":?"), name


def test_the_example_environment_shows_real_defaults_and_no_secret() -> None:
    text = (ROOT / ".env.example").read_text()
    compose = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    lines = VARIABLE.findall(text)
    assert {name for name, _ in lines} >= required
    for name, value in lines:
        field = Settings.variables().get(name)
        known = re.sub(r"`|^\(.*\)$", "", shown(field.default)) if field else compose.get(name, "")
        assert value == known, name


def test_every_task_is_described_with_its_queue(label: "Celery[Any]") -> None:
    rows = {row[0].strip("`"): row[1] for row in cells(section(DOCS / "architecture.md", "The tasks"))}
    prefix = "muzikantas.tasks."
    tasks = {
        name.removeprefix(prefix): label.amqp.router.route({}, name)["queue"].name
        for name in label.tasks
        if name.startswith("muzikantas.")
    }
    assert rows == tasks


def test_beat_starts_the_tasks_that_the_page_says() -> None:
    rows = cells(section(DOCS / "architecture.md", "The tasks"))
    said = {f"muzikantas.tasks.{row[0].strip('`')}" for row in rows if row[2] == "beat"}
    assert said == {entry["task"] for entry in shipped.load("beat_schedule.py").beat_schedule.values()}


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn: dict[str, str | None] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([ │├└─]*)([A-Z]\w+)(?:\s{2,}|$)", line)
        if found and line.startswith("    "):
            depth, name = len(found[1]), found[2]
            path = [(d, n) for d, n in path if d < depth] + [(depth, name)]
            drawn[name] = path[-2][1] if len(path) > 1 else None
    real = {
        name: error.__bases__[0].__name__ if error is not errors.MuzikantasError else None
        for name, error in inspect.getmembers(errors, inspect.isclass)
        if error.__module__ == errors.__name__
    }
    assert drawn == real


def test_the_page_of_commands_is_what_help_says(tmp_path: Path) -> None:
    # In a process of its own: click keeps help options of commands that other tests have called alone.
    fresh = tmp_path / "commands.md"
    subprocess.run([sys.executable, DOCS / "commands.py", fresh], check=True)
    assert (DOCS / "commands.md").read_text() == fresh.read_text(), "run `python docs/commands.py`"


def code_lines(page: Path) -> Iterator[str]:
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


def test_commands_in_documents_exist() -> None:
    checked = 0
    for page in PAGES:
        if page.name == "commands.md":
            continue
        for line in code_lines(page):
            words = shlex.split(line.partition(">")[0], comments=True) if "muzikantas " in line else []
            if words and Path(words[0]).name == "muzikantas":
                check_command(words[1:], f"{page.name}: {line}")
                checked += 1
    assert checked > 8


def check_command(words: list[str], where: str) -> None:
    """Follow a command line through the groups, then let click read its options; nothing is run."""
    command: click.Command = cli
    context = click.Context(cli, info_name="muzikantas")
    while isinstance(command, click.Group):
        child = command.get_command(context, words[0])
        assert child is not None, where
        command, words = child, words[1:]
    try:
        command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        pytest.fail(f"{where}: {error}")


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text()):
            assert target in targets, f"{page.name} says make {target}"


def anchors(page: Path) -> set[str]:
    """Give the anchors that a page's headings have on the usual hosts."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_between_documents_resolve() -> None:
    links = 0
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            assert file.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(file), f"{page.name} links to {target}"
            links += 1
    assert links > 15


def test_every_decision_is_in_the_index_and_has_its_parts() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [record.name[:4] for record in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for record in records:
        assert f"({record.name})" in index
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert section(record, part).strip(), f"{record.name}: {part}"


def modules() -> list[str]:
    found = pkgutil.walk_packages(muzikantas.__path__, "muzikantas.")
    return [module.name for module in found if not module.name.endswith("__main__")]


def test_examples_in_docstrings_run() -> None:
    """Importing every module is half of it: none may open a connection or read a setting on the way."""
    attempted = 0
    for name in modules():
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, name
        attempted += result.attempted
    assert attempted > 20
