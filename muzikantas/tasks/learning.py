"""Learn from releases, and plan what the next cycle makes.

Rows are read first and results are written last, each in a short transaction; between them nothing is held open.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis import claims, control, offpolicy, planning, spread
from muzikantas.analysis.licences import market_of
from muzikantas.analysis.policy import Observation, Prior, learn_prior
from muzikantas.analysis.quarantine import Quarantined
from muzikantas.analysis.responses import Heard, Reports, Song, hear
from muzikantas.celery import app
from muzikantas.domain.features import Features, certainty
from muzikantas.domain.style import StyleSpace
from muzikantas.models import artist, cycle, experiment, insight, performance, track
from muzikantas.models.artist import Artist
from muzikantas.models.insight import EvolutionPlan
from muzikantas.tasks import spending
from muzikantas.tasks.stages import StageTask

#: `certainty` of a sound recording whose beat and key are beyond doubt: it has the weight 1.
MOST_CERTAIN = 0.9
#: Artists whose histories a plan learns from, the longest first: more of them teach little and take time.
MOST_TEACHERS = 8
LEARNED = "learned"
RELEASES = "releases"


@app.task(base=StageTask, bind=True)
def learn(self: StageTask, cycle_id: int) -> int:
    """Store what the artist's releases show so far, and how sure that is."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "learn", patience_s=studio.settings.reconcile_after_s)
        if turn is None:
            return cycle_id
        about = {"kind": RELEASES, "scope": f"artist:{turn.artist_id}", "basis": f"cycle:{cycle_id}"}
        if insight.has_analysis(session, **about):
            return cycle_id
        reports = read(session, turn.artist_id)
        plans = insight.plans(session, turn.artist_id)
    heard = hear(*reports, days=studio.settings.outcome_days)
    with studio.begin() as session:
        books = spending.read(session, turn.artist_id, heard)
    content = {**_findings(heard, reports[0].space, plans), "obedience": obeyed(reports[0].made)}
    content["revenue"] = spending.outlook(studio, books, heard)
    with studio.begin() as session:
        insight.record_analysis(session, **about, content=_finite(content))
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
        reports = read(session, owner.id)
        others = teachers(session, owner)
        described = {row.scope: row.content for row in insight.latest_analyses(session, "market")}
        market = market_of(described, studio.settings.licences)
        analysis = insight.analyses_of(session, RELEASES, f"artist:{owner.id}")
    space, days = reports[0].space, studio.settings.outcome_days
    heard, prior = hear(*reports, days=days), taught(others, space, days=days)
    seen, number = heard.observations, turn.number + 1
    chosen = planning.choose(owner.policy, seen, space, owner.slots, cycle=number, seed=turn.seed, prior=prior)
    with studio.begin() as session:
        books = spending.read(session, owner.id, heard)
    worth, stopped = spending.afford(studio, books, chosen, heard.decay)
    with studio.begin() as session:
        if not cycle.hold(session, cycle_id):
            return cycle_id
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


def teachers(session: Session, owner: Artist) -> list[Reports]:
    """Read what the label's other artists could teach an artist; nothing where its policy does not learn."""
    others = [each.id for each in artist.everyone(session) if each.id != owner.id] if owner.policy == LEARNED else []
    return [_reports(session, artist_id) for artist_id in others]


def taught(others: Sequence[Reports], space: StyleSpace, *, days: int) -> Prior | None:
    """Learn from other artists what is usual in these genres; None where none has been heard in them."""
    histories = [
        [one for one in hear(each, days=days).observations if one.weight > 0 and one.asked.genre in space.genres]
        for each in others
    ]
    found = sorted((history for history in histories if history), key=len, reverse=True)
    return learn_prior(found[:MOST_TEACHERS], space) if found else None


def observations(session: Session, artist_id: int, *, days: int) -> Sequence[Observation]:
    """Give the artist's tracks as the policy reads them."""
    return hear(*read(session, artist_id), days=days).observations


def read(session: Session, artist_id: int) -> tuple[Reports, list[Reports]]:
    """Read what is known of an artist's tracks; where some were promoted, also of those who can say what that does."""
    own = _reports(session, artist_id)
    promoted = performance.promoted_artists(session) if own.promotions else []
    others = [each for each in promoted if each != artist_id]
    return own, [_reports(session, each) for each in others[:MOST_TEACHERS]]


def _reports(session: Session, artist_id: int) -> Reports:
    versions = artist.history(session, artist_id)
    lost = _lost(session, artist_id, {row.id: row.version for row in versions})
    daily = performance.daily(session, artist_id)
    return Reports(
        space=versions[-1].profile.space(),
        songs=[
            Song(
                id=row.id,
                cycle=number,
                asked=row.asked,
                realised=row.realised,
                certainty=_certainty(row.features),
                provider=row.rights["provider"],
                lost=lost.get(row.id),
            )
            for row, number in track.with_cycles(session, artist_id)
        ],
        daily=daily,
        volumes=performance.volumes(session, since=min(row.released_on for row in daily)) if daily else {},
        promotions=performance.promotions(session, artist_id),
    )


def _lost(session: Session, artist_id: int, numbers: Mapping[int, int]) -> dict[int, str]:
    """Say of each track of a version that lost its experiment why its outcome does not count."""
    taken_back = experiment.taken_back(session, artist_id)
    wrote = track.written_by(session, artist_id) if taken_back else {}
    return {
        track_id: f"version {numbers[version]}, which wrote it, lost its trial: {taken_back[version]}"
        for track_id, version in wrote.items()
        if version in taken_back
    }


def _findings(heard: Heard, space: StyleSpace, plans: Sequence[EvolutionPlan]) -> dict[str, Any]:
    """Sum up what an artist's releases show, as JSON."""
    varied = spread.measure([each.realised for each in heard.observations], space)
    return {
        **dataclasses.asdict(claims.learning_note(heard.observations, space)),
        "quarantine": [_set_aside(each, heard.released[each.release]) for each in heard.quarantine],
        "promoted": [{"track": track_id, **vars(each)} for track_id, each in heard.corrections.items()],
        "lost": [
            {"reason": reason, "tracks": [track_id for track_id, why in heard.lost.items() if why == reason]}
            for reason in dict.fromkeys(heard.lost.values())
        ],
        **offpolicy.as_content(without_exploring(plans, heard.observations)),
        "spread": dataclasses.asdict(varied) if varied else None,
    }


def _set_aside(found: Quarantined, released_on: date) -> dict[str, Any]:
    return {
        "track": found.release,
        "platform": found.platform,
        "country": found.country,
        "from": (released_on + timedelta(days=found.days[0])).isoformat(),
        "to": (released_on + timedelta(days=found.days[-1])).isoformat(),
        "streams": round(found.streams),
        "usual": round(found.usual),
        "reason": found.reason,
    }


def without_exploring(plans: Sequence[EvolutionPlan], seen: Sequence[Observation]) -> offpolicy.Comparison | str:
    """Compare what the plans earned with what they would have earned without exploring, or say what that lacks."""
    items = [item for plan in plans if plan.policy == LEARNED for item in plan.items]
    logged = {planning.style_of(item): item["propensity"] for item in items if item["propensity"] is not None}
    known = [(each.outcome, logged[each.asked]) for each in seen if each.weight > 0 and each.asked in logged]
    return offpolicy.without_exploring([outcome for outcome, _ in known], [chance for _, chance in known])


def _certainty(features: Mapping[str, Any]) -> float:
    """How far the style that was heard can be trusted; what an older listener has heard counts as usual."""
    known = {field.name for field in dataclasses.fields(Features)}
    return certainty(Features(**features)) / MOST_CERTAIN if set(features) == known else 1.0


def obeyed(made: Sequence[control.Made]) -> dict[str, Any]:
    """Sum up how well the generators obey, of all tracks and by provider and genre."""
    found = control.as_content(control.control(made))
    return {**planning.obedience([(each.asked, each.realised) for each in made]), "by_provider_and_genre": found}


def _finite(value: Any) -> Any:  # noqa: ANN401 (nested JSON)
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value
