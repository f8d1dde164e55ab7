"""Begin a turn: write each slot's brief from the newest plan, then send the canvas."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import func
from sqlalchemy.orm import Session

from muzikantas.analysis import planning, prompting
from muzikantas.analysis.experiment import interleave
from muzikantas.celery import app
from muzikantas.domain.brief import Brief
from muzikantas.domain.errors import Refused
from muzikantas.domain.replies import BriefTexts, SlotText
from muzikantas.models import artist, cycle, experiment, generation, insight
from muzikantas.models.artist import Artist, ArtistProfile
from muzikantas.models.base import insert_or_keep
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks import canvases
from muzikantas.tasks.conversation import ask
from muzikantas.tasks.judging import judge
from muzikantas.tasks.learning import taught, teachers
from muzikantas.tasks.stages import StageTask


@dataclass(frozen=True)
class Share:
    """The slots of a cycle that one version of the profile writes: all of them, unless an experiment runs."""

    version: ArtistProfile
    purpose: str  #: of the question to the language model; each version has its own
    items: tuple[tuple[int, dict[str, Any]], ...]  #: slot number and plan item


@app.task(base=StageTask, bind=True)
def brief(self: StageTask, cycle_id: int) -> int:
    """Write the briefs of a cycle's slots and send its canvas; once they are written, only send it again."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "brief", patience_s=studio.settings.reconcile_after_s)
        if turn is None:
            return cycle_id
        owner = artist.get(session, turn.artist_id)
        rows = generation.of_cycle(session, cycle_id)
    if not rows and turn.slots > 0:
        judge(studio, turn)
        rows = _begin(studio, turn, owner)
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "generate", patience_s=studio.settings.reconcile_after_s)
    if turn is not None and rows:
        canvases.turn(cycle_id, [row.id for row in rows if row.finished_at is None] or [rows[0].id]).delay()
    elif turn is not None:  # nothing is worth buying; what came in since the last cycle is still learned from
        canvases.body(cycle_id).delay()
    return cycle_id


def _begin(studio: Studio, turn: Cycle, owner: Artist) -> list[Generation]:
    """Write the cycle's briefs, in the words of one version or two; without lyrics to sing the cycle is over."""
    items = _items(studio, turn, owner)
    with studio.begin() as session:
        shares = _shares(session, turn, items)
    texts: dict[int, SlotText] = {}
    for share in shares:
        found = _texts(studio, turn, owner, share)
        texts |= found
        if not found and share.version.profile.voice != "instrumental":
            with studio.begin() as session:
                why = "no model wrote lyrics within its bounds, and this artist sings"
                cycle.end(session, turn.id, "starved", why)
            return []
    with studio.begin() as session:
        if not cycle.hold(session, turn.id):
            return []
        for share in shares:
            _write(session, turn, share, texts, studio)
        return generation.of_cycle(session, turn.id)


def _items(studio: Studio, turn: Cycle, owner: Artist) -> Sequence[dict[str, Any]]:
    """Give one plan item a slot: of the newest plan, or of the policy with nothing known.

    A plan that stops early leaves the cycle fewer slots, and needs fewer tracks of it.
    """
    with studio.begin() as session:
        plan = insight.latest_plan(session, owner.id)
        if plan is not None and plan.stopped is not None and len(plan.items) < turn.slots:
            row = cycle.get(session, turn.id)
            row.slots, row.quorum = len(plan.items), min(row.quorum, len(plan.items))
            return plan.items
        if plan is not None and len(plan.items) >= turn.slots:
            return plan.items[: turn.slots]
        space = artist.current(session, owner.id).profile.space()
        others = teachers(session, owner)
    prior = taught(others, space, days=studio.settings.outcome_days)
    first = planning.choose(owner.policy, [], space, turn.slots, cycle=turn.number, seed=turn.seed, prior=prior)
    return [planning.as_item(proposal) for proposal in first]


def _shares(session: Session, turn: Cycle, items: Sequence[dict[str, Any]]) -> list[Share]:
    """Deal the slots to the version before and the changed one while an experiment runs; else all to the newest."""
    slots = list(enumerate(items, start=1))
    newest = artist.current(session, turn.artist_id)
    trial = experiment.running(session, turn.artist_id)
    if trial is None or trial.began > turn.number:
        return [Share(newest, "brief", tuple(slots))] if slots else []
    dealt = interleave(
        [item["genre"] for item in items],
        [item["expected"] or 0.0 for item in items],
        cycle=turn.number,
        rng=np.random.default_rng(turn.seed),
    )
    before = session.get_one(ArtistProfile, trial.before_id)
    shares = [
        Share(version, purpose, tuple(slot for slot, new in zip(slots, dealt, strict=True) if new is changed))
        for version, purpose, changed in ((newest, "brief", True), (before, "brief_before", False))
    ]
    return [share for share in shares if share.items]


def _texts(studio: Studio, turn: Cycle, owner: Artist, share: Share) -> dict[int, SlotText]:
    """Have a model write titles and lyrics, by slot; nothing when none did."""
    profile = share.version.profile
    styles = [planning.style_of(item) for _, item in share.items]
    question = prompting.brief_question(profile, owner.name, owner.language, styles)

    def check(reply: BriefTexts) -> list[SlotText]:
        return prompting.checked_texts(reply, profile, len(styles))

    try:
        answer = ask(studio, turn, share.purpose, question, BriefTexts, check)
    except Refused:
        # An earlier delivery asked for other slots: the operator has ended the experiment in between.
        return {}
    return {slot: text for (slot, _), text in zip(share.items, answer[0], strict=True)} if answer else {}


def _write(session: Session, turn: Cycle, share: Share, texts: dict[int, SlotText], studio: Studio) -> None:
    """Insert generations for a version's slots; those that another delivery has written stay as they are."""
    facts = studio.music(studio.settings.music_providers[0]).facts
    profile = share.version.profile
    for slot, item in share.items:
        style = planning.style_of(item)
        text = texts.get(slot)
        words = Brief(
            style=prompting.style_text(profile.style_template, style),
            title=text.title if text else None,
            lyrics=text.lyrics if text else None,
            negative_tags=profile.negative_tags,
            vocal_gender={"female": "f", "male": "m"}.get(profile.voice),
            model=facts.default_model,
        )
        insert_or_keep(
            session,
            Generation,
            cycle_id=turn.id,
            slot=slot,
            profile_id=share.version.id,
            asked_genre=style.genre,
            asked_values=list(style.values),
            why_asked=item["reason"],
            brief=vars(words),
            provider=facts.name,
            reference=uuid.uuid4(),
            due_at=func.now() + timedelta(seconds=studio.settings.reconcile_after_s),
            deadline_at=func.now() + timedelta(seconds=studio.settings.generation_deadline_s),
        )
