"""Begin a turn: write each slot's brief from the newest plan, then send the canvas."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from muzikantas.analysis import planning, prompting
from muzikantas.celery import app
from muzikantas.domain.brief import Brief
from muzikantas.domain.profile import Profile
from muzikantas.domain.replies import BriefTexts, SlotText
from muzikantas.models import artist, cycle, generation, insight
from muzikantas.models.artist import Artist
from muzikantas.models.base import insert_or_keep
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks import canvases
from muzikantas.tasks.conversation import ask
from muzikantas.tasks.stages import StageTask


@app.task(base=StageTask, bind=True)
def brief(self: StageTask, cycle_id: int) -> int:
    """Write the briefs of a cycle's slots and send its canvas; once they are written, only send it again."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "brief", patience_s=studio.settings.reconcile_after_s)
        if turn is None:
            return cycle_id
        owner = artist.get(session, turn.artist_id)
        profile = artist.current(session, owner.id).profile
        rows = generation.of_cycle(session, cycle_id)
        items = _items(session, turn, owner, profile)
    if not rows:
        texts = _texts(studio, turn, owner, profile, items)
        if texts is None and profile.voice != "instrumental":
            with studio.begin() as session:
                cycle.end(
                    session, cycle_id, "starved", "no model wrote lyrics within its bounds, and this artist sings"
                )
            return cycle_id
        with studio.begin() as session:
            _write(session, turn, profile, items, texts, studio)
            rows = generation.of_cycle(session, cycle_id)
    with studio.begin() as session:
        cycle.enter(session, cycle_id, "generate", patience_s=studio.settings.reconcile_after_s)
    canvases.turn(cycle_id, [row.id for row in rows if row.finished_at is None] or [rows[0].id]).delay()
    return cycle_id


def _items(session: Session, turn: Cycle, owner: Artist, profile: Profile) -> Sequence[dict[str, Any]]:
    """Give one plan item a slot: of the newest plan, or of the policy with nothing known."""
    plan = insight.latest_plan(session, owner.id)
    if plan is not None and len(plan.items) >= turn.slots:
        return plan.items[: turn.slots]
    first = planning.choose(owner.policy, [], profile.space(), turn.slots, cycle=turn.number, seed=turn.seed)
    return [planning.as_item(proposal) for proposal in first]


def _texts(
    studio: Studio, turn: Cycle, owner: Artist, profile: Profile, items: Sequence[dict[str, Any]]
) -> list[SlotText] | None:
    """Have a model write titles and lyrics; None when none did."""
    styles = [planning.style_of(item) for item in items]
    question = prompting.brief_question(profile, owner.name, owner.language, styles)
    answer = ask(studio, turn, "brief", question, BriefTexts, lambda r: prompting.checked_texts(r, profile, len(items)))
    return answer[0] if answer else None


def _write(
    session: Session,
    turn: Cycle,
    profile: Profile,
    items: Sequence[dict[str, Any]],
    texts: list[SlotText] | None,
    studio: Studio,
) -> None:
    """Insert the cycle's generations; slots that another delivery has written stay as they are."""
    facts = studio.music(studio.settings.music_providers[0]).facts
    for slot, item in enumerate(items, start=1):
        style = planning.style_of(item)
        text = texts[slot - 1] if texts else None
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
            asked_genre=style.genre,
            asked_values=list(style.values),
            why_asked=item["reason"],
            brief=vars(words),
            provider=facts.name,
            reference=uuid.uuid4(),
            due_at=func.now() + timedelta(seconds=studio.settings.reconcile_after_s),
            deadline_at=func.now() + timedelta(seconds=studio.settings.generation_deadline_s),
        )
