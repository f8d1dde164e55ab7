"""`muzikantas …`: the commands of the operator."""

import sys

from muzikantas.cli.app import cli
from muzikantas.domain.errors import InputError, MuzikantasError


def main() -> None:
    """Run a command; a wrong input ends with exit code 2 and one clear line, any other failure of ours with 1."""
    try:
        cli(prog_name="muzikantas", standalone_mode=True)
    except InputError as error:
        sys.stderr.write(f"muzikantas: {error}\n")
        sys.exit(2)
    except MuzikantasError as error:
        sys.stderr.write(f"muzikantas: {error}\n")
        sys.exit(1)
