"""`muzikantas limits`: the governors as they stand: at each provider, who may call, who is in flight, who waits."""

import contextlib
import json
import time
from collections.abc import Sequence

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from muzikantas.cli.sending import require_broker
from muzikantas.clients.governor import Governor, State
from muzikantas.domain.accounts import Account, Condition
from muzikantas.domain.errors import InputError
from muzikantas.settings import MUSIC
from muzikantas.studio import Studio, studio

#: Often enough to see a window of ten seconds move.
WATCH_S = 1.0
ACCOUNTS = ("account", "calls", "slots", "cool-down", "credits", "refused")
OWNERS = ("provider", "owner", "in flight", "waiting")


@click.command()
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --watch one a second.")
@click.option("--watch", is_flag=True, help="Look again every second, until interrupted.")
def limits(provider: str | None, as_json: bool, watch: bool) -> None:  # noqa: FBT001 (click's signature)
    """Show the governors of the calls: rates, slots, cool-downs, credits, and who waits.

    PROVIDER is one that is in use here (sunoapi, kie, elevenlabs, openai, distribution, spotify, charts); all of them
    without it.
    """
    require_broker()
    known = governors(studio())
    if provider is not None and provider not in known:
        raise InputError(f"no provider {provider!r} is in use here; expected one of {', '.join(known)}")
    chosen = [known[provider]] if provider is not None else list(known.values())
    if as_json:
        click.echo(_as_json(_look(chosen)))
    elif not watch:
        Console().print(shown(_look(chosen)))
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            _keep_showing(chosen, as_json=as_json)


def governors(studio: Studio) -> dict[str, Governor]:
    """Give the governor of every provider in use: for music those named or with a key, model, distributor."""
    settings = studio.settings
    with_key = [name for name in MUSIC if settings.music(name).keys]
    found = {name: studio.music(name).governor for name in dict.fromkeys([*settings.music_providers, *with_key])}
    found[studio.llm_governor.provider] = studio.llm_governor
    if settings.distribution_base_url:
        found[studio.distribution_governor.provider] = studio.distribution_governor
    if settings.spotify_client_id:
        found[studio.spotify_governor.provider] = studio.spotify_governor
    if studio.charts_governor is not None:
        found[studio.charts_governor.provider] = studio.charts_governor
    return found


def _keep_showing(chosen: Sequence[Governor], *, as_json: bool) -> None:
    """Show the states again and again."""
    with contextlib.nullcontext() if as_json else Live(auto_refresh=False) as live:
        while True:
            if live is not None:
                live.update(shown(_look(chosen)), refresh=True)
            time.sleep(WATCH_S)
            if live is None:
                click.echo(_as_json(_look(chosen)))


def _look(chosen: Sequence[Governor]) -> list[State]:
    return [governor.state() for governor in chosen]


def _as_json(states: Sequence[State]) -> str:
    return json.dumps({"providers": [state.as_json() for state in states]})


def shown(states: Sequence[State]) -> Group:
    """Lay the states out: the accounts, those who share them, and a line for each provider where some wait."""
    accounts, owners, lines = _table("Accounts", ACCOUNTS), _table("Who shares them", OWNERS), []
    for state in states:
        for account, condition in state.accounts:
            accounts.add_row(*_cells(account, condition))
        for owner in sorted({*state.waiting, *state.in_flight}):
            owners.add_row(state.provider, owner, str(state.in_flight.get(owner, 0)), str(state.waiting.get(owner, 0)))
        if state.next_in_s is not None:
            waiting = sum(state.waiting.values())
            lines.append(f"{state.provider}: {waiting} waiting; the next comes in {state.next_in_s:.1f} s")
    return Group(accounts, *([owners] if owners.row_count else []), *(lines or ["Nobody waits."]))


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, no_wrap=heading in {"account", "provider"})
    return table


def _cells(account: Account, condition: Condition) -> list[str]:
    allowed = account.limits
    return [
        account.name if account.commercial else f"{account.name} (not for release)",
        f"{condition.calls} of {allowed.calls} in {allowed.window_s:g} s",
        f"{condition.slots} of {allowed.concurrency}",
        f"{condition.cooldown_s:.0f} s" if condition.cooldown_s else "none",
        "out" if condition.out_of_credits else "ok",
        f"{condition.refusals} lately",
    ]
