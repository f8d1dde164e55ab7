"""Learn from releases, and plan what the next cycle makes."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis import claims, planning
from muzikantas.analysis.policy import Observation
from muzikantas.celery import app
from muzikantas.domain.features import Features, certainty
from muzikantas.models import artist, cycle, insight, performance, track
from muzikantas.tasks.stages import StageTask

#: `certainty` of a sound recording whose beat and key are beyond doubt: it has the weight 1.
MOST_CERTAIN = 0.9


@app.task(base=StageTask, bind=True)
def learn(self: StageTask, cycle_id: int) -> int:
    """Store what the artist's releases show so far, and how sure that is."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "learn", patience_s=studio.settings.reconcile_after_s)
        if turn is None:
            return cycle_id
        seen = observations(session, turn.artist_id, days=studio.settings.outcome_days)
        space = artist.current(session, turn.artist_id).profile.space()
    findings = as_content(claims.learning_note(seen, space))
    with studio.begin() as session:
        obeyed = planning.obedience([(o.asked, o.realised) for o in track.of_artist(session, turn.artist_id)])
        content = {**findings, "obedience": obeyed}
        insight.record_analysis(
            session, kind="releases", scope=f"artist:{turn.artist_id}", basis=f"cycle:{cycle_id}", content=content
        )
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
        market = {row.scope: row.content for row in insight.latest_analyses(session, "market")}
        analysis = insight.analyses_of(session, "releases", f"artist:{owner.id}")
    chosen = planning.choose(owner.policy, seen, space, owner.slots, cycle=turn.number + 1, seed=turn.seed)
    with studio.begin() as session:
        insight.record_plan(
            session,
            cycle_id=cycle_id,
            artist_id=owner.id,
            analysis_id=analysis[-1].id if analysis else None,
            policy=owner.policy,
            seed=turn.seed,
            items=[planning.as_item(proposal) for proposal in chosen],
            market=market,
        )
    return cycle_id


def observations(session: Session, artist_id: int, *, days: int) -> list[Observation]:
    """Give the artist's tracks as the policy reads them.

    The outcome is age-matched: log1p of the streams in the first `days` days. A track that has no outcome yet has
    weight 0: it says nothing of taste, yet the next choice should not repeat it.
    """
    answers = {answer.track_id: answer for answer in performance.responses(session, artist_id, days=days)}
    seen = []
    for row, number in track.with_cycles(session, artist_id):
        answer = answers.get(row.id)
        by_country = answer.by_country if answer else {}
        seen.append(
            Observation(
                cycle=number,
                asked=row.asked,
                realised=row.realised,
                outcome=math.log1p(answer.streams) if answer else 0.0,
                by_country={country: math.log1p(n) for country, n in by_country.items()},
                weight=_certainty(row.features) if answer else 0.0,
                age_days=days if answer else None,
                id=row.id,
                provider=row.rights["provider"],
            )
        )
    return seen


def _certainty(features: Mapping[str, Any]) -> float:
    """How far the style that was heard can be trusted; what an older listener has heard counts as usual."""
    known = {field.name for field in dataclasses.fields(Features)}
    return certainty(Features(**features)) / MOST_CERTAIN if set(features) == known else 1.0


def as_content(findings: claims.Findings) -> dict[str, Any]:
    """Write findings as JSON; numbers that are not finite become null."""
    content: dict[str, Any] = _finite(dataclasses.asdict(findings))
    return content


def _finite(value: Any) -> Any:  # noqa: ANN401 (nested JSON)
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value
