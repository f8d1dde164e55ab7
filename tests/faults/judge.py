"""Compares our database with the sandbox's own ledger after a run: what was paid, made, lost, and left open."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from muzikantas.models import artist, budget, generation, take
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.models.take import Take
from muzikantas.models.track import Track
from muzikantas.studio import studio
from tests.faults.plan import FATAL_CODES, FATAL_TO_TASK, UNANSWERED

#: A slot that the script left possible may still be lost to us in one case of ten.
MADE_SHARE = 0.9


def judge(ledger: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the figures of a run from the sandbox's ledger and its fault rules."""
    requests = ledger["requests"]
    references = Counter(reference(entry) for entry in requests)
    with studio().begin() as session:
        turns = list(session.scalars(select(Cycle)))
        slots = {str(row.reference): row for row in session.scalars(select(Generation))}
        lost = [name for name in references if name not in slots or not _is_kept(session, slots[name])]
        tracks = session.scalar(select(func.count()).select_from(Track)) or 0
        booked = sum(sum(budget.spent_by(session, owner.id, budget.CREDITS)) for owner in artist.everyone(session))
    impossible = len({reference(entry) for entry in requests if _is_fatal(entry, slots)})
    impossible += sum(rule["fired"] for rule in rules if rule["do"].get("code") in FATAL_CODES)
    return {
        "cycles": len(turns),
        "faults": sum(rule["fired"] for rule in rules),
        "slots": len(slots),
        "slots_possible": len(slots) - impossible,
        "tracks_made": tracks,
        "paid_requests": len(requests),
        "paid_twice": sum(count > 1 for count in references.values()),
        "lost": len(lost),
        "open_cycles": sum(not _is_closed(turn) for turn in turns),
        "ledger_difference": booked - ledger["credits_spent"],
        "unknown_parked": sum(row.state == generation.UNKNOWN for row in slots.values()),
        "unanswered_accepts": sum(_is_unanswered(entry) for entry in requests),
    }


def broken(figures: Mapping[str, Any]) -> list[str]:
    """Name the promises that a run's figures break."""
    promises = {f"{name} is 0": figures[name] == 0 for name in NEVER}
    promises["unknown_parked <= unanswered_accepts"] = figures["unknown_parked"] <= figures["unanswered_accepts"]
    promises["tracks_made >= 0.9 * slots_possible"] = figures["tracks_made"] >= MADE_SHARE * figures["slots_possible"]
    return [promise for promise, kept in promises.items() if not kept]


NEVER = ("paid_twice", "lost", "open_cycles", "ledger_difference")


def details(ledger: Mapping[str, Any]) -> list[str]:
    """Describe every cycle and slot that did not end well, and both books where they differ, for a person."""
    paid = {reference(entry): entry for entry in ledger["requests"]}
    with studio().begin() as session:
        lines = [
            f"cycle {turn.id} {turn.state} at {turn.stage}, body sent {turn.body_sent}: {turn.reason}"
            for turn in session.scalars(select(Cycle).where(Cycle.state != "closed"))
        ]
        for row in session.scalars(select(Generation).order_by(Generation.id)):
            entry = paid.get(str(row.reference))
            if row.state != generation.COMPLETE or row.finished_at is None:
                charged = f"charged {entry['charged'] - entry['refunded']} {entry['fault']}" if entry else "not there"
                lines.append(f"generation {row.id} {row.state} [{charged}, ours {row.credits}]: {row.reason}")
    return lines


def reference(entry: Mapping[str, Any]) -> str:
    """Read our reference, the last part of the address that a request asked to be called back at."""
    return str(entry["reference"]).rstrip("/").rpartition("/")[2]


def _is_kept(session: Session, row: Generation) -> bool:
    """Tell whether a paid request's audio is in our store, or its row says why not."""
    if row.finished_at is not None and row.reason:
        return True
    keys = select(Take.audio_key).where(Take.generation_id == row.id, Take.state.in_((take.STORED, take.MEASURED)))
    return any(key and studio().store.has(key) for key in session.scalars(keys))


def _is_closed(turn: Cycle) -> bool:
    return turn.state == "closed" or (turn.state == "starved" and bool(turn.reason))


def _is_fatal(entry: Mapping[str, Any], slots: Mapping[str, Generation]) -> bool:
    """Tell whether the script left no way to this request's track.

    A request that was accepted and not answered is one too, unless a callback told us of it in spite of that.
    """
    if FATAL_TO_TASK & (entry["fault"] or {}).keys():
        return True
    row = slots.get(reference(entry))
    return _is_unanswered(entry) and row is not None and row.state == generation.UNKNOWN


def _is_unanswered(entry: Mapping[str, Any]) -> bool:
    """Tell whether the script made the sandbox accept this request without saying so."""
    return bool(UNANSWERED & (entry["fault"] or {}).keys())
