"""`muzikantas demo`: the whole loop on the embedded stack."""

import json
import shutil
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from muzikantas.domain.errors import InputError
from muzikantas.local import demo as demonstration
from muzikantas.local import remove_servers_folder
from muzikantas.local.demo import CycleView
from muzikantas.local.home import Home
from muzikantas.local.lock import hold
from muzikantas.local.stack import Shape, embedded
from muzikantas.report import write_report
from muzikantas.settings import read_settings
from muzikantas.studio import studio

#: What the folder of a demonstration is known by: nothing else is ever removed.
MARK = "demo-home"
COLOURS = {"track": "green", "failed": "red", "refused": "red", "unknown": "red", "waiting": "dim"}


@click.command()
@click.option("--cycles", default=8, show_default=True, type=click.IntRange(1, 200), help="Turns of the loop.")
@click.option("--tracks", default=6, show_default=True, type=click.IntRange(1, 50), help="Slots a cycle.")
@click.option("--artists", default=1, show_default=True, type=click.IntRange(1, 20), help="Artists.")
@click.option("--seed", default=7, show_default=True, help="Of the market, the audio and the plans.")
@click.option(
    "--policy", type=click.Choice(["learned", "fixed"]), default="learned", show_default=True, help="What plans."
)
@click.option("--json", "as_json", is_flag=True, help="No progress; the last line is the summary as JSON.")
def demo(cycles: int, tracks: int, artists: int, seed: int, policy: str, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Run the whole loop here: real workers, database and broker, and stand-ins for the providers.

    Uses nothing from the environment but MUZ_HOME, and leaves a report and tracks in MUZ_HOME/demo.
    """
    started = time.monotonic()
    console = Console(stderr=as_json)
    home = fresh_home(read_home() / "demo")
    shape = Shape(flower=False, durable=False, sandbox_options=("--seed", str(seed), "--generation-seconds", "2"))
    console.print(f"Starting PostgreSQL, Valkey, the sandbox and workers in {home} …")
    with embedded(home, shape, on_event=_events(console)) as stack:
        console.print(f"Ready after {time.monotonic() - started:.0f} s.")
        ids = demonstration.cast(artists, slots=tracks, seed=seed, policy=policy)
        show = Progress(console, live=not as_json and console.is_terminal)
        with show:
            demonstration.run(stack, ids, cycles, show)
        summary = demonstration.summary(stack, ids)
        reports = [str(write_report(studio(), artist_id, stack.home.report)) for artist_id in ids]
    summary |= {"reports": reports, "seconds": round(time.monotonic() - started + _before(), 1)}
    if as_json:
        click.echo(json.dumps(summary))
        return
    _tell(console, summary)


class Progress:
    """Shows cycles as they go: a live table on a terminal, else a line for everything that changes."""

    def __init__(self, console: Console, *, live: bool) -> None:
        self.console = console
        self.live = Live(console=console, refresh_per_second=4, transient=True) if live else None
        self.said: dict[tuple[str, int], str] = {}

    def __enter__(self) -> "Progress":
        """Begin to show."""
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if self.live:
            self.live.stop()

    def __call__(self, views: list[CycleView]) -> None:
        """Show where the cycles stand now."""
        for view in views:
            made = sum(slot.state == "track" for slot in view.slots)
            line = f"cycle {view.number}  {view.artist}: {view.stage}, {made} of {len(view.slots)} tracks"
            if self.said.get((view.artist, view.number)) != line:
                self.said[view.artist, view.number] = line
                if not self.live:
                    self.console.print(line, highlight=False)
        if self.live:
            self.live.update(_table(views))


def _table(views: list[CycleView]) -> Table:
    table = Table("cycle", "artist", "stage", "slot", "state", "")
    for view in views:
        for index, slot in enumerate(view.slots):
            head = (str(view.number), view.artist, view.stage) if index == 0 else ("", "", "")
            colour = COLOURS.get(slot.state, "yellow")
            table.add_row(*head, str(slot.slot), f"[{colour}]{slot.state}[/]", slot.detail[:60])
        if not view.slots:
            table.add_row(str(view.number), view.artist, view.stage, "", "", "")
    return table


def fresh_home(path: Path) -> Path:
    """Remove the last demonstration's folder and make a new one. Raises `InputError` for a folder of another kind."""
    if path.exists():
        if not (path / MARK).exists() and any(path.iterdir()):
            raise InputError(f"{path} exists and is no folder of a demonstration; move it away or set MUZ_HOME")
        old = Home(path)
        with hold(old.run):
            remove_servers_folder(old)
            shutil.rmtree(path)
    path.mkdir(parents=True)
    (path / MARK).write_text("Made by `muzikantas demo`; the next demonstration removes this folder.\n")
    return path


def read_home() -> Path:
    """Give `MUZ_HOME`, the one setting that a demonstration reads."""
    return read_settings().muz_home


def _events(console: Console):  # type: ignore[no-untyped-def]  # noqa: ANN202 (replaced below)
    def tell(event: str, name: str, detail: str) -> None:
        if event in {"crashed", "restarted", "swept"}:
            console.print(f"{name} {event}: {detail}", highlight=False)

    return tell


def _before() -> float:
    """Seconds between the start of this process and the command's first line (imports)."""
    with Path("/proc/self/stat").open() as file:
        started_ticks = int(file.read().rpartition(")")[2].split()[19])
    with Path("/proc/uptime").open() as file:
        uptime = float(file.read().split()[0])
    age = uptime - started_ticks / 100  # USER_HZ is 100 on every Linux that Python runs on
    return max(age - (time.monotonic() - _LOADED), 0.0)


_LOADED = time.monotonic()


def _tell(console: Console, summary: dict[str, object]) -> None:
    """Say what a person wants to know."""
    console.print(
        f"\n{summary['cycles_closed']} cycles closed, {summary['tracks_made']} tracks of {summary['slots']} slots, "
        f"{summary['paid_requests']} paid requests ({summary['provider_paid_requests']} by the provider's book), "
        f"{summary['paid_twice']} paid twice, {summary['lost']} lost.",
        highlight=False,
    )
    first, last = summary["outcome_first_two_cycles"], summary["outcome_last_two_cycles"]
    console.print(
        f"Mean log streams a track: {first} in the first two cycles, {last} in the last two.", highlight=False
    )
    for report in summary["reports"]:  # type: ignore[attr-defined] # a list of paths, made above
        sys.stdout.write(f"Report: {report}\n")
