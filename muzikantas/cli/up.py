"""`muzikantas up`: the embedded stack in the foreground."""

import click

from muzikantas.local.stack import Shape, operators
from muzikantas.settings import settings


@click.command()
def up() -> None:
    """Run the stack in the foreground until Ctrl-C: servers, workers, beat, Flower.

    What the settings name (DATABASE_URL, REDIS_URL, keys) is used; the rest is embedded, the providers by stand-ins.
    """

    def tell(event: str, name: str, detail: str) -> None:
        click.echo(f"{name}: {event}{' (' + detail + ')' if detail else ''}")

    with operators(Shape(), on_event=tell) as stack:
        music = "the sandbox" if "SUNO_BASE_URL" in stack.env else ", ".join(settings().music_providers)
        words = "the sandbox" if "OPENAI_BASE_URL" in stack.env else settings().openai_base_url
        click.echo(f"Music: {music}. Language model: {words}.")
        click.echo(f"Flower: {stack.flower_url}  user muzikantas, password {stack.flower_password}")
        click.echo(f"Addresses: {stack.home.run / 'env'}   Logs: {stack.home.logs}")
        click.echo("Running. Ctrl-C stops everything.")
        stack.supervisor.run_until_stopped()
    click.echo("Stopped.")
