"""What is learned from an artist's tracks, one by one: what they had, what was taken off, and what does not count."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import click

from muzikantas.analysis.offpolicy import Comparison, as_content
from muzikantas.analysis.responses import Heard, hear
from muzikantas.models import artist, insight, track
from muzikantas.studio import Studio
from muzikantas.tasks.learning import read, without_exploring


def tell(studio: Studio, name: str, *, as_json: bool) -> None:
    """Print an artist's outcomes, and what following the best guess everywhere would have earned."""
    with studio.begin() as session:
        owner = artist.find(session, name)
        reports, plans = read(session, owner.id), insight.plans(session, owner.id)
        titles = {row.id: row.title for row in track.of_artist(session, owner.id)}
    heard = hear(*reports, days=studio.settings.outcome_days)
    lines = list(_lines(heard, titles))
    other = without_exploring(plans, heard.observations)
    for line in lines:
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else _text(line))
    click.echo(json.dumps(as_content(other)) if as_json else in_words(other))


def in_words(other: Comparison | str) -> str:
    """Say what another way of choosing would have earned, or why that cannot be told."""
    if isinstance(other, str):
        return other
    low, middle, high = (math.exp(other.value - other.earned + side * 1.96 * other.error) for side in (-1, 0, 1))
    return (
        f"Following the best guess in every slot would have had {middle:.2f} times the streams (95 %: {low:.2f} to "
        f"{high:.2f}), as {other.releases} releases say (effective sample size {other.effective:.0f})."
    )


def _lines(heard: Heard, titles: Mapping[int, str | None]) -> Iterator[dict[str, Any]]:
    """Describe every track, oldest first; None where nothing is known."""
    for each in heard.observations:
        if each.id is None:
            continue
        found, off = heard.outcomes.get(each.id), heard.corrections.get(each.id)
        aside = [one for one in heard.quarantine if one.release == each.id]
        notes = [off.reason] if off else []
        notes += [f"{one.streams:.0f} streams in quarantine: {one.reason}" for one in aside]
        notes += [heard.lost[each.id]] if each.id in heard.lost else []
        yield {
            "track": each.id,
            "title": titles[each.id],
            "cycle": each.cycle,
            "days": each.age_days,
            "streams": round(found.streams) if found and found.weight > 0 else None,
            "counted": round(math.expm1(each.outcome)) if each.weight > 0 else None,
            "weight": round(each.weight, 3),
            "notes": notes,
        }


def _text(line: Mapping[str, Any]) -> str:
    """Write a track in one line, and a line for each note."""
    streams, counted = ("-" if line[name] is None else f"{line[name]:,}" for name in ("streams", "counted"))
    head = (
        f"{line['track']:>6}  cycle {line['cycle']:<4} {streams:>10} streams, counted as {counted:>10}, weight "
        f"{line['weight']:.2f}  {line['title'] or ''}"
    )
    return "\n".join([head.rstrip(), *(f"        {note}" for note in line["notes"])])
