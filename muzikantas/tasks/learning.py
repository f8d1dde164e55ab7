"""Learn from releases, and plan what the next cycle makes."""

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis import claims, control, offpolicy, outcome, planning, spread
from muzikantas.analysis.daily import WORLDWIDE, by_age
from muzikantas.analysis.licences import market_of
from muzikantas.analysis.policy import Observation, Prior, learn_prior
from muzikantas.analysis.quarantine import Quarantined, quarantine
from muzikantas.celery import app
from muzikantas.domain.features import Features, certainty
from muzikantas.domain.style import StyleSpace
from muzikantas.models import artist, cycle, insight, performance, track
from muzikantas.models.artist import Artist
from muzikantas.tasks import spending
from muzikantas.tasks.stages import StageTask

#: `certainty` of a sound recording whose beat and key are beyond doubt: it has the weight 1.
MOST_CERTAIN = 0.9
#: Artists whose histories a plan learns from, the longest first: more of them teach little and take time.
MOST_TEACHERS = 8
LEARNED = "learned"


@app.task(base=StageTask, bind=True)
def learn(self: StageTask, cycle_id: int) -> int:
    """Store what the artist's releases show so far, and how sure that is."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "learn", patience_s=studio.settings.reconcile_after_s)
        if turn is None:
            return cycle_id
        heard = hear(session, turn.artist_id, days=studio.settings.outcome_days)
        space = artist.current(session, turn.artist_id).profile.space()
        varied = spread.measure([track.realised for track in heard.observations], space)
        content = {
            **dataclasses.asdict(claims.learning_note(heard.observations, space)),
            "obedience": obeyed(heard.observations),
            "quarantine": heard.quarantine,
            "without_exploring": _not_exploring(session, turn.artist_id, heard.observations),
            "spread": dataclasses.asdict(varied) if varied else None,
            "revenue": spending.outlook(session, studio, turn.artist_id, heard.observations),
        }
    with studio.begin() as session:
        scope, basis = f"artist:{turn.artist_id}", f"cycle:{cycle_id}"
        insight.record_analysis(session, kind="releases", scope=scope, basis=basis, content=_finite(content))
    return cycle_id


@app.task(base=StageTask, bind=True)
def plan(self: StageTask, cycle_id: int) -> int:
    """Store what the next cycle should make, with reasons, and the market as it stood."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "plan", patience_s=studio.settings.reconcile_after_s)
        if turn is None or insight.plan_of(session, cycle_id) is not None:
            return cycle_id
        owner = artist.get(session, turn.artist_id)
        seen = observations(session, owner.id, days=studio.settings.outcome_days)
        space = artist.current(session, owner.id).profile.space()
        described = {row.scope: row.content for row in insight.latest_analyses(session, "market")}
        market = market_of(described, studio.settings.licences)
        analysis = insight.analyses_of(session, "releases", f"artist:{owner.id}")
        prior = shared(session, owner, space, days=studio.settings.outcome_days)
    number = turn.number + 1
    chosen = planning.choose(owner.policy, seen, space, owner.slots, cycle=number, seed=turn.seed, prior=prior)
    with studio.begin() as session:
        worth, stopped = spending.afford(session, studio, owner.id, chosen)
        insight.record_plan(
            session,
            cycle_id=cycle_id,
            artist_id=owner.id,
            analysis_id=analysis[-1].id if analysis else None,
            policy=owner.policy,
            seed=turn.seed,
            items=[planning.as_item(proposal) for proposal in worth],
            stopped=stopped,
            market=market,
        )
    return cycle_id


def shared(session: Session, owner: Artist, space: StyleSpace, *, days: int) -> Prior | None:
    """Learn from the label's other artists what is usual in these genres; None where none has been heard in them."""
    others = [each for each in artist.everyone(session) if each.id != owner.id] if owner.policy == LEARNED else []
    histories = [
        [one for one in observations(session, each.id, days=days) if one.weight > 0 and one.asked.genre in space.genres]
        for each in others
    ]
    taught = sorted((history for history in histories if history), key=len, reverse=True)
    return learn_prior(taught[:MOST_TEACHERS], space) if taught else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heard:
    """What is known of an artist's tracks, and the streams that were left out of it, as JSON."""

    observations: list[Observation]
    quarantine: list[dict[str, Any]]


def observations(session: Session, artist_id: int, *, days: int) -> list[Observation]:
    """Give the artist's tracks as the policy reads them."""
    return hear(session, artist_id, days=days).observations


def hear(session: Session, artist_id: int, *, days: int) -> Heard:
    """Read the artist's tracks and how they did.

    The outcome is age-matched: log1p of the streams in the first `days` days, without those in quarantine and with what
    is not reported yet foretold. A track that is too young, or that no report names, has weight 0: it says nothing of
    taste, yet the next choice should not repeat it.
    """
    tracks = track.with_cycles(session, artist_id)
    rows = performance.daily(session, artist_id)
    released = {row.release: row.released_on for row in rows}
    series = by_age(rows, performance.volumes(session, since=min(released.values())) if released else {})
    usual = outcome.learn_decay(series, days)
    kept, aside = quarantine(series, usual)
    found = outcome.outcomes(kept, outcome.learn_decay(kept, days) if aside else usual, days)
    return Heard(
        observations=[_observation(row, number, found.get(row.id)) for row, number in tracks],
        quarantine=[_set_aside(each, released[each.release]) for each in aside],
    )


def _observation(row: track.Track, number: int, found: outcome.Outcome | None) -> Observation:
    heard = found is not None and found.weight > 0
    by_country = found.by_country if found is not None and heard else {}
    return Observation(
        cycle=number,
        asked=row.asked,
        realised=row.realised,
        outcome=math.log1p(found.streams) if found is not None and heard else 0.0,
        by_country={country: math.log1p(n) for country, n in by_country.items() if country != WORLDWIDE},
        weight=_certainty(row.features) * found.weight if found is not None else 0.0,
        age_days=found.age_days if found is not None else None,
        id=row.id,
        provider=row.rights["provider"],
    )


def _set_aside(found: Quarantined, released_on: date) -> dict[str, Any]:
    return {
        "track": found.release,
        "platform": found.platform,
        "country": found.country,
        "from": (released_on + timedelta(days=found.first)).isoformat(),
        "to": (released_on + timedelta(days=found.last)).isoformat(),
        "streams": round(found.streams),
        "usual": round(found.usual),
        "reason": found.reason,
    }


def _not_exploring(session: Session, artist_id: int, seen: list[Observation]) -> dict[str, float] | None:
    """Estimate what the plans would have earned without exploring, beside what they did earn; None where none did."""
    items = [item for plan in insight.plans(session, artist_id) for item in plan.items]
    logged = {planning.style_of(item): item["propensity"] for item in items if item["propensity"]}
    known = [(each.outcome, logged[each.asked]) for each in seen if each.weight > 0 and each.asked in logged]
    outcomes, propensities = [pair[0] for pair in known], [pair[1] for pair in known]
    estimate = offpolicy.without_exploring(outcomes, propensities)
    if estimate is None:
        return None
    return {**dataclasses.asdict(estimate), "earned": sum(outcomes) / len(outcomes), "releases": len(outcomes)}


def _certainty(features: Mapping[str, Any]) -> float:
    """How far the style that was heard can be trusted; what an older listener has heard counts as usual."""
    known = {field.name for field in dataclasses.fields(Features)}
    return certainty(Features(**features)) / MOST_CERTAIN if set(features) == known else 1.0


def obeyed(seen: list[Observation]) -> dict[str, Any]:
    """Sum up how well the generators obey, of all tracks and by provider and genre."""
    made = [control.Made(provider=o.provider or "", asked=o.asked, realised=o.realised) for o in seen]
    found = control.as_content(control.control(made))
    return {**planning.obedience([(o.asked, o.realised) for o in seen]), "by_provider_and_genre": found}


def _finite(value: Any) -> Any:  # noqa: ANN401 (nested JSON)
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value
