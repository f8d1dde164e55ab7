"""The sandbox's own calendar: its day changes only when it is told to."""

import time
from datetime import date, timedelta

from muzikantas.sandbox.ledger import Ledger

FIRST_DAY = date(2026, 1, 5)  #: a Monday, far from any real release


def today(ledger: Ledger) -> date:
    """Give today's date in the sandbox's own calendar."""
    return date.fromisoformat(ledger.fact("day", FIRST_DAY.isoformat()))


def advance(ledger: Ledger, days: int) -> date:
    """Let days pass and give the new date; the moment is kept, so that what was made before has an age."""
    before = today(ledger)
    ledger.rows("INSERT INTO advances (at, before) VALUES (?, ?)", time.time(), before.isoformat())
    ledger.set_fact("day", (before + timedelta(days=days)).isoformat())
    return today(ledger)


def age_days(ledger: Ledger, moment: float) -> int:
    """Count the days of this calendar that have passed since a moment of the machine's clock."""
    row = ledger.row("SELECT before FROM advances WHERE at > ? ORDER BY number LIMIT 1", moment)
    return 0 if row is None else (today(ledger) - date.fromisoformat(row["before"])).days
