"""`muzikantas market`: a country's charts on one page, and what artists play."""

from pathlib import Path

import click

from muzikantas.analysis.artists import SOURCE, read_artists
from muzikantas.cli.importing import read_text
from muzikantas.cli.rows import rows
from muzikantas.local.home import Home
from muzikantas.models import market as markets
from muzikantas.report.market import gather, write_market
from muzikantas.report.market_words import in_brief
from muzikantas.tasks.market_charts import catch_up


class ByCountry(click.Group):
    """A group whose unknown command names are countries: `market ES` is `market show ES`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the command of that name, or the one that shows a country."""
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, "show")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Read a country as the argument of `show`."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


@click.group(cls=ByCountry)
def market() -> None:
    """A country's market: `market ES` shows Spain; `market artists FILE` tells what artists play."""


@market.command()
@click.argument("country")
@click.option("--open", "show_it", is_flag=True, help="Open it in the browser.")
def show(country: str, show_it: bool) -> None:  # noqa: FBT001 (click's signature)
    """Write the page of COUNTRY (two letters, or GLOBAL) to MUZ_HOME/report and print its path.

    One HTML file that needs no network: positions over time, forecasts against what came, genres, seasons, gaps. What
    has not been made of the newest charts yet is made first, which may take a minute a chart. What the page says in
    brief goes to standard error.
    """
    with rows() as studio:
        catch_up(studio, country.upper(), lambda step: click.echo(step, err=True))
        view = gather(studio, country.upper())
        path = write_market(view, Home(studio.settings.muz_home).report)
    for line in in_brief(view):
        click.echo(line, err=True)
    click.echo(path)
    if show_it and click.launch(path.as_uri()):
        click.echo("No browser was found here; open the file by hand.", err=True)


@market.command()
@click.argument("file", type=click.Path(path_type=Path))
def artists(file: Path) -> None:
    """Import FILE, a CSV file with the columns artist, genre and country (genre or country may be empty).

    The same file again changes nothing; a later word about an artist wins, and countries are described anew.
    """
    told = read_artists(read_text(file), file.name)
    with rows() as studio:
        studio.settings.licences.check_store(SOURCE)
        with studio.begin() as session:
            merged = markets.import_artists(session, told, file=file.name)
            if merged.new or merged.changed:
                markets.forget_profiles(session)
    click.echo(f"{merged.rows:,} artists  {merged.new:,} new  {merged.changed:,} changed")
