"""Where the money goes: which slots of a plan are worth their cost, and what the artist's tracks will earn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis import outcome, revenue
from muzikantas.analysis.policy import Proposal
from muzikantas.analysis.responses import Heard
from muzikantas.analysis.revenue import Year
from muzikantas.domain.money import decimal_text
from muzikantas.models import earnings
from muzikantas.studio import Studio

#: Luck of a release in log streams that a plan reckons with: few artists have heard enough to know their own.
LUCK_SD = 1.1


@dataclass(frozen=True, kw_only=True)
class Books:
    """What an artist's streams have earned by report, without those in quarantine, and what its music has taken."""

    heard: earnings.Heard
    outlay: earnings.Outlay


def read(session: Session, artist_id: int, heard: Heard) -> Books:
    """Read an artist's books; streams that look bought earn nothing."""
    void = [
        earnings.Void(
            track_id=each.release,
            platform=each.platform,
            country=each.country,
            days=tuple(heard.released[each.release] + timedelta(days=day) for day in each.days),
        )
        for each in heard.quarantine
    ]
    return Books(
        heard=earnings.heard(session, artist_id, without=void),
        outlay=earnings.outlay(session, artist_id),
    )


def afford(
    studio: Studio, books: Books, chosen: Sequence[Proposal], decay: outcome.Decay
) -> tuple[list[Proposal], str | None]:
    """Keep the slots that are worth their cost, the best first, and say why there are not more.

    All of them where the price of a credit or of a stream is not known.
    """
    cost, price = _slot_cost(studio, books), _price(studio, books)
    if cost is None or price is None:
        return list(chosen), None
    years = [_of_proposal(each, decay, studio.settings.outcome_days) for each in chosen]
    found = revenue.spend(years, price, cost)
    return [chosen[i] for i in found.order], found.stopped


def outlook(studio: Studio, books: Books, heard: Heard) -> dict[str, Any]:
    """Foretell the first year of every track that has an outcome, as JSON; money is decimal text in dollars.

    Streams that a playlist brought are paid like others; those in quarantine are not.
    """
    days = studio.settings.outcome_days
    known = {track_id: found for track_id, found in heard.outcomes.items() if found.weight > 0}
    years = {track_id: _of_track(found, heard.decay, days) for track_id, found in known.items()}
    price, spent = _price(studio, books), books.outlay
    content: dict[str, Any] = {
        "payable": {str(track_id): round(year.payable, 3) for track_id, year in years.items()},
        "usd_per_stream": None if price is None else f"{price:.6f}",
        "revenue": None,
        "cost_a_track": None,
    }
    if price is not None:
        found = revenue.revenue(list(years.values()), price)
        content["revenue"] = {name: decimal_text(amount) for name, amount in vars(found).items()}
    usd_per_credit = studio.settings.music(studio.settings.music_providers[0]).usd_per_credit
    if usd_per_credit is not None and spent.tracks:
        cost = revenue.cost_micros(spent.credits, usd_per_credit, spent.words_micros)
        content["cost_a_track"] = decimal_text(cost // spent.tracks)
    return content


def _slot_cost(studio: Studio, books: Books) -> int | None:
    """Give what one more slot costs: its request, and its share of the brief's words so far."""
    name = studio.settings.music_providers[0]
    usd_per_credit = studio.settings.music(name).usd_per_credit
    if usd_per_credit is None:
        return None
    spent = books.outlay
    words = spent.brief_micros // spent.slots if spent.slots else 0
    return revenue.cost_micros(studio.music(name).facts.credits_per_request, usd_per_credit, words)


def _price(studio: Studio, books: Books) -> Decimal | None:
    configured = dict(studio.settings.payout_usd_per_stream)
    return revenue.usd_per_stream(books.heard.streams, books.heard.paid, configured)


def _of_proposal(proposal: Proposal, decay: outcome.Decay, days: int) -> Year | None:
    """Foretell a track that is not made yet; None while the policy knows nothing."""
    if not math.isfinite(proposal.uncertainty):
        return None
    return _year(proposal.expected, math.hypot(proposal.uncertainty, LUCK_SD), decay, days)


def _of_track(found: outcome.Outcome, decay: outcome.Decay, days: int) -> Year:
    """Foretell a track whose first days are known, or foretold with an error."""
    return _year(math.log1p(found.streams), max(found.error, outcome.DAY_SD), decay, days)


def _year(log_mean: float, log_sd: float, decay: outcome.Decay, days: int) -> Year:
    shape = {"exponent": decay.exponent, "floor": decay.floor, "exponent_sd": outcome.OWN_EXPONENT_SD}
    return revenue.first_year(log_mean, log_sd, days=days, **shape)
