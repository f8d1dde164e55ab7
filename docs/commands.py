"""Write `commands.md` anew from the program: `python docs/commands.py`. A test compares the two."""  # noqa: INP001 (a script beside the page that it writes)

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from muzikantas.cli.app import cli

PAGE = Path(__file__).with_name("commands.md")
#: Width of the help in the page, whatever the terminal.
COLUMNS = 100

HEAD = """# Commands

What `--help` says of every command, 100 columns wide. This page is written by `python docs/commands.py`.

A wrong argument, file or setting ends with exit code 2 and one clear line; any other failure of ours with 1.
"""


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Give the full name and the help of a command and of all below it."""
    context.terminal_width = COLUMNS
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from walk(child, click.Context(child, info_name=name, parent=context))


def page() -> str:
    """Give the whole page."""
    root = click.Context(cli, info_name="muzikantas", **cli.context_settings)
    return HEAD + "".join(f"\n## {name}\n\n```\n{text}\n```\n" for name, text in walk(cli, root))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page())
