"""Where the money goes: which slots of a plan are worth their cost, and what the artist's tracks will earn."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis import outcome, revenue
from muzikantas.analysis.daily import by_age
from muzikantas.analysis.policy import Observation, Proposal
from muzikantas.analysis.revenue import Year
from muzikantas.domain.money import decimal_text
from muzikantas.models import earnings, performance
from muzikantas.studio import Studio

#: Luck of a release in log streams that a plan reckons with: few artists have heard enough to know their own.
LUCK_SD = 1.1


def afford(
    session: Session, studio: Studio, artist_id: int, chosen: Sequence[Proposal]
) -> tuple[list[Proposal], str | None]:
    """Keep the slots that are worth their cost, the best first, and say why there are not more.

    All of them where the price of a credit or of a stream is not known.
    """
    cost, price = _slot_cost(session, studio, artist_id), _price(session, studio, artist_id)
    if cost is None or price is None:
        return list(chosen), None
    decay = _decay(session, artist_id, studio.settings.outcome_days)
    years = [_of_proposal(each, decay, studio.settings.outcome_days) for each in chosen]
    found = revenue.spend(years, price, cost)
    return [chosen[i] for i in found.order], found.stopped


def outlook(session: Session, studio: Studio, artist_id: int, seen: Sequence[Observation]) -> dict[str, Any]:
    """Foretell the first year of every track that has an outcome, as JSON; money is decimal text in dollars."""
    days = studio.settings.outcome_days
    decay = _decay(session, artist_id, days)
    years = {each.id: _of_track(each, decay, days) for each in seen if each.weight > 0}
    price, spent = _price(session, studio, artist_id), earnings.outlay(session, artist_id)
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


def _slot_cost(session: Session, studio: Studio, artist_id: int) -> int | None:
    """Give what one more slot costs: its request, and its share of the brief's words so far."""
    name = studio.settings.music_providers[0]
    usd_per_credit = studio.settings.music(name).usd_per_credit
    if usd_per_credit is None:
        return None
    spent = earnings.outlay(session, artist_id)
    words = spent.brief_micros // spent.slots if spent.slots else 0
    return revenue.cost_micros(studio.music(name).facts.credits_per_request, usd_per_credit, words)


def _price(session: Session, studio: Studio, artist_id: int) -> Decimal | None:
    heard = earnings.heard(session, artist_id)
    return revenue.usd_per_stream(heard.streams, heard.paid, dict(studio.settings.payout_usd_per_stream))


def _decay(session: Session, artist_id: int, days: int) -> outcome.Decay:
    return outcome.learn_decay(by_age(performance.daily(session, artist_id), {}), days)


def _of_proposal(proposal: Proposal, decay: outcome.Decay, days: int) -> Year | None:
    """Foretell a track that is not made yet; None while the policy knows nothing."""
    if not math.isfinite(proposal.uncertainty):
        return None
    return _year(proposal.expected, math.hypot(proposal.uncertainty, LUCK_SD), decay, days)


def _of_track(seen: Observation, decay: outcome.Decay, days: int) -> Year:
    """Foretell a track whose first days are known, with an error that its weight tells."""
    error = outcome.LUCK_SD * math.sqrt(max(1 / seen.weight - 1, 0.0))
    return _year(seen.outcome, max(error, outcome.DAY_SD), decay, days)


def _year(log_mean: float, log_sd: float, decay: outcome.Decay, days: int) -> Year:
    shape = {"exponent": decay.exponent, "floor": decay.floor, "exponent_sd": outcome.OWN_EXPONENT_SD}
    return revenue.first_year(log_mean, log_sd, days=days, **shape)
