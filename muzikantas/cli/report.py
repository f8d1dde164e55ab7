"""`muzikantas report`: an artist on one page."""

import click

from muzikantas.cli.rows import rows
from muzikantas.local.home import Home
from muzikantas.models import artist as artists
from muzikantas.report import write_report


@click.command()
@click.argument("artist")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
def report(artist: str, show: bool) -> None:  # noqa: FBT001 (click's signature)
    """Write the report on ARTIST (name or number) to MUZ_HOME/report and print its path.

    One HTML file that needs no network: learning curve, what works and how sure, tracks to play, persona, money.
    """
    with rows() as studio:
        with studio.begin() as session:
            artist_id = artists.find(session, artist).id
        path = write_report(studio, artist_id, Home(studio.settings.muz_home).report)
    click.echo(path)
    if show and click.launch(path.as_uri()):
        click.echo("No browser was found here; open the file by hand.", err=True)
