"""`muzikantas artist`: create artists from files, look at them, take a version of a profile back."""

import json
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from sqlalchemy import func
from sqlalchemy.orm import Session

from muzikantas.analysis import spread
from muzikantas.cli.artist_example import EXAMPLE
from muzikantas.cli.artist_file import ArtistFile, Credits, Dollars, read_artist
from muzikantas.cli.rows import rows
from muzikantas.domain.errors import InputError
from muzikantas.domain.money import MICROS, decimal_text
from muzikantas.domain.profile import Profile
from muzikantas.models import artist as artists
from muzikantas.models import audit, budget, cycle, experiment, track
from muzikantas.models.artist import Artist, ArtistProfile
from muzikantas.models.experiment import Experiment

#: What an operator says, and what the rows say.
UNITS = {"credits": budget.CREDITS, "usd": budget.USD_MICROS}
TEMPLATES = {"month": budget.MONTHS, "cycle": budget.CYCLES}


@click.group()
def artist() -> None:
    """Artists of the label."""


def _print_example(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 (click's signature)
    if wanted:
        click.echo(EXAMPLE, nl=False)
        ctx.exit()


@artist.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--example", is_flag=True, is_eager=True, expose_value=False, callback=_print_example, help="Print an example file."
)
def create(file: Path) -> None:
    """Create an artist as FILE describes it (YAML)."""
    described = read_artist(file)
    with rows() as studio, studio.begin() as session:
        made = _insert(session, described, file)
    click.echo(f"Artist {made.id}: {made.name}, version 1.")
    if described.budget.credits_a_month.hard is None and described.budget.credits_a_cycle.hard is None:
        click.echo("No hard limit of credits: nothing stops its spending but your account at the provider.", err=True)
    if described.cycle_every_days:
        click.echo(f"Its first cycle starts in {described.cycle_every_days:g} days.")
    click.echo(f"Start one now: muzikantas cycle start {made.id}")


def _insert(session: Session, described: ArtistFile, file: Path) -> Artist:
    """Insert the artist with its limits. Raises `InputError` when the name is taken, in whichever case."""
    taken = [row.name for row in artists.everyone(session) if row.name.lower() == described.name.lower()]
    if taken:
        raise InputError(f"{file}: name: there is an artist named {taken[0]!r} already; choose another name")
    columns = described.columns()
    if described.cycle_every_days:
        columns["next_cycle_at"] = func.now() + timedelta(days=described.cycle_every_days)
    made = artists.create(session, described.profile(), **columns)
    for unit, template, limits in described.budget.limits():
        budget.set_limits(session, made.id, unit, template=template, **limits)
    audit.note(session, "operator", "create", f"artist:{made.id}", file=file.name)
    return made


@artist.command("list")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def list_artists(as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """List the artists."""
    with rows() as studio, studio.begin() as session:
        lines = [_line(session, row) for row in artists.everyone(session)]
    if not lines and not as_json:
        click.echo("No artists yet; `muzikantas artist create --example` shows how to describe one.", err=True)
    for line in lines:
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            counts = f"{line['cycles']:>4} cycles  {line['tracks']:>5} tracks  version {line['version']:<3}"
            running = f"  cycle {line['running']} is running" if line["running"] else ""
            click.echo(f"{line['id']:>4}  {line['name']:<24}  {counts}  {', '.join(line['genres'])}{running}")


def _line(session: Session, row: Artist) -> dict[str, Any]:
    newest = artists.current(session, row.id)
    running = cycle.running(session, row.id)
    return {
        "id": row.id,
        "name": row.name,
        "version": newest.version,
        "genres": sorted(newest.profile.corridor),
        "cycles": len(cycle.of_artist(session, row.id)),
        "running": running.number if running else None,
        "tracks": len(track.of_artist(session, row.id)),
    }


@artist.command()
@click.argument("name", metavar="ARTIST")
@click.option("--json", "as_json", is_flag=True, help="One object.")
def show(name: str, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Show ARTIST (name or number): its newest profile, versions, experiments, variety and budgets."""
    with rows() as studio, studio.begin() as session:
        found = _described(session, artists.find(session, name))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    versions, money, profile = found.pop("versions"), found.pop("budgets"), found.pop("profile")
    trials, variety = found.pop("experiments"), found.pop("spread")
    for title, value in {**found, **profile}.items():
        click.echo(f"{title:<18}{_text(value)}")
    for line in versions:
        click.echo(f"version {line['version']:<10}{line['created_at'][:16]}  {line['kind']}: {line['reason']}")
    for line in trials:
        click.echo(f"{'experiment':<18}{_trial(line)}")
    click.echo(f"{'spread':<18}{_variety(variety)}")
    for line in money:
        used = "" if line["period"] in TEMPLATES.values() else f"{line['spent']} spent, {line['reserved']} reserved; "
        click.echo(f"budget {line['when']:<11}{line['unit']}: {used}{_limits(line)}")


def _described(session: Session, row: Artist) -> dict[str, Any]:
    names = ("id", "name", "language", "countries", "policy", "release_rule", "slots", "seed", "cycle_every_days")
    versions = artists.history(session, row.id)
    shown = ("version", "kind", "reason")
    return {
        **{name: getattr(row, name) for name in names},
        "next_cycle_at": row.next_cycle_at.isoformat() if row.next_cycle_at else None,
        "profile": versions[-1].content,
        "versions": [
            {**{name: getattr(v, name) for name in shown}, "created_at": v.created_at.isoformat()} for v in versions
        ],
        "experiments": [_experiment(line, versions) for line in experiment.of_artist(session, row.id)],
        "spread": _spread(session, row, versions[-1].profile),
        "budgets": [_budget(session, line) for line in budget.of_artist(session, row.id)],
    }


def _experiment(row: Experiment, versions: list[ArtistProfile]) -> dict[str, Any]:
    """Describe an experiment by the versions that it compares and what is known of them."""
    numbers = {version.id: version.version for version in versions}
    return {
        "began": row.began,
        "before": numbers[row.before_id],
        "changed": numbers[row.changed_id],
        "state": row.state,
        "reason": row.reason,
        "evidence": row.evidence,
    }


def _trial(line: dict[str, Any]) -> str:
    """Write an experiment in one line; `began` is the number of its first cycle."""
    compared = f"from cycle {line['began']}, version {line['changed']} beside {line['before']}: {line['state']}"
    power = (line["evidence"] or {}).get("power")
    return "; ".join(part for part in (compared, line["reason"] or "not judged yet", power) if part)


def _spread(session: Session, row: Artist, profile: Profile) -> dict[str, Any] | None:
    """Measure how varied the last tracks are; None while there are too few."""
    found = spread.measure([heard for _, heard in track.styles(session, row.id)], profile.space())
    return asdict(found) if found else None


def _variety(found: dict[str, Any] | None) -> str:
    if found is None:
        return f"not measured before {spread.LEAST} tracks"
    share = f"{found['share']:.0%} of what the corridor allows ({found['low']:.0%} to {found['high']:.0%})"
    return f"{share}, last {found['tracks']} tracks" + (f"; WARNING: {found['warning']}" if found["warning"] else "")


def _budget(session: Session, row: budget.Budget) -> dict[str, Any]:
    """Describe a budget; dollars as decimal text."""
    dollars = row.unit == budget.USD_MICROS
    amounts = {"soft": row.soft_limit, "hard": row.hard_limit, "spent": row.spent, "reserved": row.reserved}
    return {
        "unit": "usd" if dollars else row.unit,
        "period": row.period,
        "when": budget.period_in_words(session, row.period),
        **{name: decimal_text(value) if dollars and value is not None else value for name, value in amounts.items()},
    }


def _limits(line: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {'none' if line[kind] is None else line[kind]}" for kind in ("soft", "hard"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@artist.command()
@click.argument("name", metavar="ARTIST")
@click.argument("version", type=click.IntRange(min=1))
def revert(name: str, version: int) -> None:
    """Give ARTIST the profile of an earlier VERSION again, as a new version; nothing is deleted.

    A running experiment ends: from the next cycle on every slot is written by what you took.
    """
    with rows() as studio, studio.begin() as session:
        row = artists.find(session, name)
        newest = artists.revert(session, row.id, version)
        audit.note(session, "operator", "revert", f"artist:{row.id}", to=version, made=newest.version)
    click.echo(f"{row.name} has version {newest.version} now, with the content of version {version}.")


@artist.command("budget")
@click.argument("name", metavar="ARTIST")
@click.argument("unit", type=click.Choice(list(UNITS)))
@click.argument("period", type=click.Choice(list(TEMPLATES)))
@click.option("--soft", metavar="AMOUNT|none", help="Above it the log, `doctor` and the report warn.")
@click.option("--hard", metavar="AMOUNT|none", help="Nothing is bought that would go above it.")
def change_budget(name: str, unit: str, period: str, soft: str | None, hard: str | None) -> None:
    """Change what ARTIST may spend in a month or a cycle: in those to come, and in the one under way.

    A limit that is not given stays as it is.
    """
    given = {kind: text for kind, text in (("soft", soft), ("hard", hard)) if text is not None}
    if not given:
        raise InputError(
            "expected --soft, --hard or both; `muzikantas artist show ARTIST` prints the limits as they are"
        )
    with rows() as studio, studio.begin() as session:
        row = artists.find(session, name)
        limits = _changed(session, row, unit, TEMPLATES[period], given)
        budget.set_limits(session, row.id, UNITS[unit], template=TEMPLATES[period], **limits)
        audit.note(session, "operator", "budget", f"artist:{row.id}", unit=UNITS[unit], period=period, **limits)
        shown = [_budget(session, line) for line in budget.of_artist(session, row.id) if line.unit == UNITS[unit]]
    for line in shown:
        click.echo(f"{row.name}, {line['when']}, {line['unit']}: {_limits(line)}")


def _changed(session: Session, row: Artist, unit: str, template: str, given: dict[str, str]) -> dict[str, int | None]:
    """Give both limits as the rows hold them. Raises `InputError` for what is no amount, or soft above hard."""
    found = {line.period: line for line in budget.of_artist(session, row.id) if line.unit == UNITS[unit]}.get(template)
    before = {"soft": found.soft_limit, "hard": found.hard_limit} if found else {}
    after = {kind: None if text == "none" else text for kind, text in given.items()}
    try:
        if unit == "credits":
            return Credits.model_validate({**before, **after}).model_dump()
        kept = {kind: None if value is None else Decimal(value) / MICROS for kind, value in before.items()}
        return Dollars.model_validate({**kept, **after}).in_micros()
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        option = f"--{details['loc'][0]} {given[str(details['loc'][0])]!r}: " if details["loc"] else ""
        raise InputError(f"{option}{details['msg'].removeprefix('Value error, ')}") from None
