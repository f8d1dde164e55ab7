"""`muzikantas sandbox`: the stand-in providers alone."""

from pathlib import Path

import click

from muzikantas.sandbox.app import serve
from muzikantas.sandbox.config import Config


@click.command()
@click.option("--port", default=8765, show_default=True, help="0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("var/sandbox"), show_default=True, help="State.")
@click.option("--seed", default=7, show_default=True, help="Of the market, the audio and the writer.")
@click.option("--generation-seconds", default=20.0, show_default=True, help="Median time until a request is done.")
@click.option("--faults", type=click.Path(exists=True, path_type=Path), help="A fault script (JSON).")
def sandbox(port: int, data: Path, seed: int, generation_seconds: float, faults: Path | None) -> None:
    """Serve stand-ins for all providers on loopback, in their documented wire formats."""
    serve(Config(data=data, port=port, seed=seed, generation_seconds=generation_seconds, faults=faults))
