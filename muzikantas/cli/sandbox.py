"""`muzikantas sandbox`: the stand-in providers alone."""

from pathlib import Path
from typing import Any

import click

from muzikantas.sandbox.app import serve
from muzikantas.sandbox.config import Config


@click.command()
@click.option("--port", default=8765, show_default=True, help="0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), default=Path("var/sandbox"), show_default=True, help="State.")
@click.option("--seed", default=7, show_default=True, help="Of the market, the audio, the writer and random faults.")
@click.option("--generation-seconds", default=20.0, show_default=True, help="Median time until a request is done.")
@click.option("--webhook-key", default=Config.webhook_key, show_default=True, help="Signs the callbacks of /kie.")
@click.option("--fast-audio", is_flag=True, help="A few recordings varied cheaply: for load, prompts are not obeyed.")
@click.option("--faults", type=click.Path(exists=True, path_type=Path), help="A fault script (JSON).")
def sandbox(**options: Any) -> None:  # noqa: ANN401 (each is a field of `Config`)
    """Serve stand-ins for all providers on loopback, in their documented wire formats.

    Suno as sunoapi.org at /, as kie.ai at /kie, ElevenLabs Music at /elevenlabs, OpenAI at /v1.
    """
    serve(Config(**options))
