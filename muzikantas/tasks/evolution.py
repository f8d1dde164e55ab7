"""Evolve the persona and adapt the prompts: a language model proposes, our bounds decide, versions are rows.

What one cycle changes is one experiment: the cycles after it are dealt to the version before and the new one, until
the stop rule has decided (`judging`). While an experiment runs nothing else changes.
"""

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis import prompting
from muzikantas.celery import StudioTask, app
from muzikantas.domain.profile import Profile
from muzikantas.domain.replies import AdaptedPrompts, EvolvedPersona
from muzikantas.models import artist, audit, cycle, experiment, insight
from muzikantas.models.artist import ArtistProfile
from muzikantas.models.cycle import Cycle
from muzikantas.models.insight import EvolutionPlan
from muzikantas.tasks.conversation import ask
from muzikantas.tasks.stages import StageTask

logger = logging.getLogger(__name__)

#: Earlier changes that a language model is told of.
TOLD = 3

Proposed = tuple[tuple[Profile, str], int] | None


@app.task(base=StageTask, bind=True)
def evolve(self: StageTask, cycle_id: int) -> int:
    """Add the persona's next version, or keep the old one when no reply stays inside the bounds."""

    def propose(turn: Cycle, old: ArtistProfile, plan: EvolutionPlan) -> Proposed:
        with self.studio.begin() as session:
            name = artist.get(session, turn.artist_id).name
            findings = _findings(session, turn.artist_id)
        question = prompting.evolve_question(old.profile, name, findings, plan.items, plan.market)

        def check(reply: EvolvedPersona) -> tuple[Profile, str]:
            return prompting.checked_persona(reply, old.profile), reply.reason

        return ask(self.studio, turn, "evolve", question, EvolvedPersona, check)

    return _add_version(self, cycle_id, "evolved", propose)


@app.task(base=StageTask, bind=True)
def adapt_prompts(self: StageTask, cycle_id: int) -> int:
    """Add the version with a better prompt template, or keep the old one when no reply stays inside the bounds."""

    def propose(turn: Cycle, old: ArtistProfile, plan: EvolutionPlan) -> Proposed:
        with self.studio.begin() as session:
            name = artist.get(session, turn.artist_id).name
            findings = _findings(session, turn.artist_id)
        question = prompting.adapt_question(old.profile, name, findings.get("obedience", {}), plan.items)

        def check(reply: AdaptedPrompts) -> tuple[Profile, str]:
            return prompting.checked_prompts(reply, old.profile), reply.reason

        return ask(self.studio, turn, "adapt", question, AdaptedPrompts, check)

    return _add_version(self, cycle_id, "adapted", propose)


def _findings(session: Session, artist_id: int) -> dict[str, Any]:
    """Give what the newest analysis found, and how the last changes ended: what was taken back is not tried again."""
    newest = insight.analyses_of(session, "releases", f"artist:{artist_id}")[-1]
    tried = [
        {"change": session.get_one(ArtistProfile, row.changed_id).reason, "end": row.state, "verdict": row.reason}
        for row in experiment.of_artist(session, artist_id)[-TOLD:]
        if row.state != experiment.RUNNING
    ]
    return {**newest.content, "changes_tried": tried}


def _add_version(
    task: StudioTask, cycle_id: int, kind: str, propose: Callable[[Cycle, ArtistProfile, EvolutionPlan], Proposed]
) -> int:
    """Add the version that a plan leads to, once, and put it on trial; the same story for persona and prompts."""
    studio = task.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, kind, patience_s=studio.settings.reconcile_after_s)
        plan = insight.plan_of(session, cycle_id)
        if turn is None or plan is None or artist.version_of_plan(session, plan.id, kind) is not None:
            return cycle_id
        trial = experiment.in_the_way(session, turn.artist_id, cycle_id)
        if trial is not None:
            logger.info("experiment %d is %s; nothing else changes in this cycle", trial.id, trial.state)
            return cycle_id
        old = artist.current(session, turn.artist_id)
    proposed = propose(turn, old, plan)
    with studio.begin() as session:
        if not cycle.hold(session, cycle_id):
            return cycle_id
        if proposed is None:
            audit.note(session, "muzikantas", "keep profile", f"artist:{turn.artist_id}", cycle=cycle_id, kind=kind)
            return cycle_id
        (profile, reason), call_id = proposed
        artist.lock(session, turn.artist_id)
        if experiment.in_the_way(session, turn.artist_id, cycle_id) is not None:
            return cycle_id
        added = artist.add_version(
            session,
            turn.artist_id,
            profile,
            parent=old,
            kind=kind,
            reason=reason,
            plan_id=plan.id,
            llm_call_id=call_id,
        )
        if added:
            changed = artist.current(session, turn.artist_id)
            pair = {"before_id": old.id, "changed_id": changed.id}
            experiment.begin(session, artist_id=turn.artist_id, cycle_id=cycle_id, number=turn.number, **pair)
    return cycle_id
