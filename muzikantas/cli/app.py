"""The command group. A command's module is imported when it is called: `--help` and small commands stay quick."""

import importlib

import click

from muzikantas import __version__

#: Command → module in this package that defines it, under the command's name with underscores.
COMMANDS = {
    "demo": "demo",
    "up": "up",
    "doctor": "doctor",
    "artist": "artist",
    "cycle": "cycle",
    "release": "release",
    "releases": "release",
    "analyze": "analyze",
    "charts": "charts",
    "market": "market",
    "performance": "performance",
    "generations": "generations",
    "limits": "limits",
    "sandbox": "sandbox",
    "report": "report",
}


class Lazy(click.Group):
    """A group that imports a command's module at its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Name the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"muzikantas.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def cli() -> None:
    """Run a record label of virtual artists."""
