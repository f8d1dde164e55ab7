"""`muzikantas limits`: the governor as it stands: who may call, who is in flight, who waits."""

import contextlib
import json
import time

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from muzikantas.cli.sending import require_broker
from muzikantas.clients.governor import Governor, State
from muzikantas.domain.accounts import Account, Condition
from muzikantas.studio import studio

#: Often enough to see a window of ten seconds move.
WATCH_S = 1.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --watch one a second.")
@click.option("--watch", is_flag=True, help="Look again every second, until interrupted.")
def limits(as_json: bool, watch: bool) -> None:  # noqa: FBT001 (click's signature)
    """Show the governor of the paid calls: rates, slots, cool-downs, credits, and who waits."""
    require_broker()
    governor = studio().suno_governor
    if as_json:
        click.echo(json.dumps(governor.state().as_json()))
    elif not watch:
        Console().print(shown(governor.state()))
    if watch:
        with contextlib.suppress(KeyboardInterrupt):
            _keep_showing(governor, as_json=as_json)


def _keep_showing(governor: Governor, *, as_json: bool) -> None:
    """Show the state again and again."""
    with contextlib.nullcontext() if as_json else Live(auto_refresh=False) as live:
        while True:
            if live is not None:
                live.update(shown(governor.state()), refresh=True)
            time.sleep(WATCH_S)
            if live is None:
                click.echo(json.dumps(governor.state().as_json()))


def shown(state: State) -> Group:
    """Lay the state out as two tables and a line."""
    accounts = Table(title=f"Accounts at {state.provider}", title_justify="left")
    for heading in ("account", "calls", "slots", "cool-down", "credits", "refused"):
        accounts.add_column(heading)
    for account, condition in state.accounts:
        accounts.add_row(*_cells(account, condition))
    owners = Table(title="Who shares them", title_justify="left")
    for heading in ("artist", "in flight", "waiting"):
        owners.add_column(heading)
    for owner in sorted({*state.waiting, *state.in_flight}):
        owners.add_row(owner, str(state.in_flight.get(owner, 0)), str(state.waiting.get(owner, 0)))
    coming = "" if state.next_in_s is None else f"; the next comes in {state.next_in_s:.1f} s"
    return Group(accounts, owners, f"{sum(state.waiting.values())} waiting{coming}")


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
