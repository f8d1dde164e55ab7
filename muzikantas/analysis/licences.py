"""What a source's licence leaves of its rows: those that may be analysed, and names that a language model may see."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from muzikantas.domain.licence import Licences


def analysable(rows: Iterable[Mapping[str, Any]], licences: Licences) -> Iterator[Mapping[str, Any]]:
    """Give the rows (with a `source`) whose source may be analysed."""
    allowed: dict[str, bool] = {}
    for row in rows:
        source = row["source"]
        if source not in allowed:
            allowed[source] = licences.of(source).may_analyse
        if allowed[source]:
            yield row


def market_of(states: Mapping[str, Mapping[str, Any]], licences: Licences) -> dict[str, Mapping[str, Any]]:
    """Keep of the stored states of markets (scope `source:chart:country`) those whose source may be analysed today.

    A state that was stored before its source was switched off stays in its table, and out of every plan and prompt.
    """
    return {scope: state for scope, state in states.items() if licences.of(scope.partition(":")[0]).may_analyse}


def shown_name(name: str, sources: Iterable[str], number: int, licences: Licences) -> str:
    """Give a name as a prompt may hold it: itself where all its sources allow that, else a number in its place."""
    return name if all(licences.of(source).may_feed_llm for source in sources) else f"artist {number}"
