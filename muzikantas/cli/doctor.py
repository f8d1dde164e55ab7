"""`muzikantas doctor`: can the loop run here, and if not, what to do."""

import click

from muzikantas.cli import checks, market_checks, provider_checks
from muzikantas.cli.checks import FAIL, Finding
from muzikantas.domain.errors import InputError
from muzikantas.settings import settings

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
def doctor() -> None:
    """Check servers, tables, workers, keys, budgets and disk; exit code 1 when the loop could not run."""
    found = examine()
    secrets = _secrets()
    for finding in found:
        what_to_do = f"\n      {finding.advice}" if finding.advice else ""
        line = f"{finding.name:<12}  {finding.said}{what_to_do}"
        for secret in secrets:
            line = line.replace(secret, "***")
        click.echo(f"{click.style(f'{finding.verdict:<4}', fg=COLOURS[finding.verdict])}  {line}")
    if any(finding.verdict == FAIL for finding in found):
        raise click.exceptions.Exit(1)


def examine() -> list[Finding]:
    """Make all checks; those that need readable settings or an answering server are left out without one."""
    found = [checks.python()]
    try:
        settings()
    except InputError as error:
        return [*found, Finding("settings", FAIL, str(error), "Correct the environment or .env.")]
    found += [checks.home(), checks.disk(), *checks.wheels(), *checks.dead_stack()]
    database = checks.database()
    broker = checks.broker()
    found += [*database, *broker]
    if all(finding.verdict != FAIL for finding in broker):
        found += [*checks.queues(), *provider_checks.refusals()]
    found += provider_checks.providers()
    found += market_checks.licences()
    if all(finding.verdict != FAIL for finding in database):
        found += [*checks.budgets(), *market_checks.stored_without_right()]
    return found


def _secrets() -> list[str]:
    try:
        return settings().secrets()
    except InputError:
        return []
