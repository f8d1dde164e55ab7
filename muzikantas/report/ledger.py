"""The money's side of the report: what was asked and paid for, and what became of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from muzikantas.models import budget, generation, llm
from muzikantas.report.view import Calls, CreditUse, MoneyView, Month, Promise

#: States in which a request was sent, or may have been.
MAYBE_SENT = (generation.SUBMITTING, generation.UNKNOWN)
TRACK, ENDED, UNDER_WAY, UNKNOWN, LOST = "became a track", "ended without a track", "under way", "unknown", "lost"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One request as the ledger needs it."""

    state: str
    attempt: int
    sent: bool  #: the provider took it
    finished: bool
    reason: str | None
    credits: int
    has_track: bool


def outcome(slot: Slot) -> str | None:
    """Say what became of a request that was sent, or may have been; None for one that cost nothing."""
    if not slot.sent and slot.state not in MAYBE_SENT:
        return None
    if slot.has_track:
        return TRACK
    if slot.state == generation.UNKNOWN:
        return UNKNOWN
    if not slot.finished:
        return UNDER_WAY
    return ENDED if slot.reason else LOST


def promise(slots: Sequence[Slot]) -> Promise:
    """Account for every request that may have cost money."""
    found = Counter(kind for slot in slots if (kind := outcome(slot)))
    return Promise(
        sent=found.total(),
        tracks=found[TRACK],
        ended=found[ENDED],
        under_way=found[UNDER_WAY],
        unknown=found[UNKNOWN],
        lost=found[LOST],
        again=sum(slot.attempt > 1 for slot in slots if outcome(slot)),
    )


def money(session: Session, artist_id: int, slots: Sequence[Slot]) -> MoneyView:
    """Gather months, what credits became, and the calls of language models."""
    months = tuple(
        Month(
            period=row.period,
            unit=row.unit,
            spent=row.spent,
            reserved=row.reserved,
            soft_limit=row.soft_limit,
            hard_limit=row.hard_limit,
        )
        for row in budget.of_artist(session, artist_id)
        if row.is_month
    )
    return MoneyView(
        months=months,
        credit_uses=credit_uses(slots),
        refunded=budget.refunded(session, artist_id, budget.CREDITS),
        calls=calls(llm.tally(session, artist_id)),
    )


def credit_uses(slots: Sequence[Slot]) -> tuple[CreditUse, ...]:
    """Add up requests and credits by what became of them."""
    requests: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for slot in slots:
        if kind := outcome(slot):
            requests[kind] += 1
            amounts[kind] += slot.credits
    return tuple(
        CreditUse(outcome=kind, requests=requests[kind], credits=amounts[kind])
        for kind in (TRACK, ENDED, UNDER_WAY, UNKNOWN, LOST)
        if requests[kind]
    )


def calls(tallies: Sequence[llm.Tally]) -> tuple[Calls, ...]:
    """Add up calls by purpose, in the order of the loop."""
    found = []
    for purpose in sorted({row.purpose for row in tallies}, key=_in_the_loop):
        mine = [row for row in tallies if row.purpose == purpose]
        outcomes: Counter[str] = Counter()
        for row in mine:
            outcomes[row.state] += row.calls
        found.append(
            Calls(
                purpose=purpose,
                models=tuple(sorted({row.model for row in mine})),
                outcomes=outcomes,
                input_tokens=sum(row.input_tokens for row in mine),
                output_tokens=sum(row.output_tokens for row in mine),
                cost_micros=sum(row.cost_micros for row in mine),
            )
        )
    return tuple(found)


def _in_the_loop(purpose: str) -> tuple[int, str]:
    order = ("brief", "evolve", "adapt")
    return (order.index(purpose) if purpose in order else len(order), purpose)
