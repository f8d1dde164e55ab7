"""Gather the report from the database: one snapshot, read once, as frozen values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from muzikantas import __version__
from muzikantas.analysis import planning
from muzikantas.analysis.claims import Effect
from muzikantas.analysis.policy import Observation
from muzikantas.analysis.responses import hear
from muzikantas.domain.style import DIMENSIONS
from muzikantas.models import artist, budget, cycle, insight, performance, track
from muzikantas.models.artist import Artist, ArtistProfile
from muzikantas.models.insight import TrendAnalysis
from muzikantas.report import curve, ledger, persona, turns
from muzikantas.report.evolution import evolution
from muzikantas.report.view import (
    ControlView,
    FindingsView,
    Habit,
    Head,
    Imprint,
    OtherPolicy,
    PlanView,
    Report,
    SetAside,
)
from muzikantas.studio import Studio
from muzikantas.tasks.learning import read


def gather(studio: Studio, artist_id: int) -> Report:
    """Read everything that the page shows about an artist. Raises `NoResultFound` for an id that is not there."""
    days = studio.settings.outcome_days
    with studio.begin() as session:
        # One snapshot: with workers running, the sums on top would else disagree with the lists below.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        owner = artist.get(session, artist_id)
        heard = hear(*read(session, owner.id), days=days)
        seen = [each for each in heard.observations if each.weight > 0]
        versions = artist.history(session, owner.id)
        plans = turns.plans(session, owner.id)
        slots = turns.ledger_rows(session, owner.id)
        return Report(
            head=_head(session, owner, versions[-1], slots),
            days=days,
            curve=curve.measure((each.cycle, each.outcome) for each in seen),
            findings=_findings(session, owner.id, seen),
            habits=_habits(track.of_artist(session, owner.id)),
            cycles=turns.cycles(
                session, owner.id, heard.outcomes, plans, {row.id: row.version for row in versions}, days=days
            ),
            versions=persona.versions(versions, {plan_id: plan.cycle for plan_id, plan in plans.items()}),
            plan=_newest(plans),
            money=ledger.money(session, owner.id, slots),
            imprint=_imprint(session, owner.id),
            evolution=evolution(session, owner.id),
        )


def _head(session: Session, owner: Artist, now: ArtistProfile, slots: Sequence[ledger.Slot]) -> Head:
    profile = now.profile
    out = track.releases(session, owner.id)
    streams: Counter[str] = Counter()
    for platforms in performance.streams_since_release(session, owner.id).values():
        streams.update(platforms)
    return Head(
        name=owner.name,
        persona=profile.persona,
        genres=tuple(sorted(profile.corridor)),
        voice=profile.voice,
        language=owner.language,
        countries=tuple(owner.countries),
        policy=owner.policy,
        version=now.version,
        cycles=Counter(turn.state for turn in cycle.of_artist(session, owner.id)),
        tracks=len(track.of_artist(session, owner.id)),
        releases=sum(row.published_at is not None for row, _ in out),
        waiting=sum(row.published_at is None for row, _ in out),
        streams=streams,
        credits=budget.spent_by(session, owner.id, budget.CREDITS)[0],
        usd_micros=budget.spent_by(session, owner.id, budget.USD_MICROS)[0],
        promise=ledger.promise(slots),
    )


def _findings(session: Session, artist_id: int, seen: Sequence[Observation]) -> FindingsView | None:
    """Read the newest analysis of releases, and how many outcomes it could not know yet."""
    rows = insight.analyses_of(session, "releases", f"artist:{artist_id}")
    if not rows:
        return None
    newest = rows[-1]
    content = newest.content
    titles = turns.titles(session, artist_id)
    return FindingsView(
        cycle=_cycle_number(session, newest),
        made_at=newest.created_at,
        effects=tuple(Effect(**effect) for effect in content["effects"]),
        releases=content["releases"],
        releases_needed=content["releases_needed"],
        since=max(len(seen) - content["releases"], 0),
        control=tuple(ControlView(**each) for each in content["obedience"]["by_provider_and_genre"]),
        quarantine=_quarantine(content["quarantine"], titles),
        without_exploring=OtherPolicy(**other) if (other := content["without_exploring"]) else None,
    )


def _quarantine(rows: Sequence[Mapping[str, Any]], titles: Mapping[int, str]) -> tuple[SetAside, ...]:
    return tuple(
        SetAside(
            track=titles.get(row["track"], f"track {row['track']}"),
            first=date.fromisoformat(row["from"]),
            last=date.fromisoformat(row["to"]),
            **{name: row[name] for name in ("platform", "country", "streams", "usual", "reason")},
        )
        for row in rows
    )


def _cycle_number(session: Session, analysis: TrendAnalysis) -> int:
    """Read which cycle made an analysis of releases: its basis is `cycle:` and the id."""
    return cycle.get(session, int(analysis.basis.removeprefix("cycle:"))).number


def _habits(tracks: Sequence[track.Track]) -> tuple[Habit, ...]:
    """Pair asked and heard a dimension, with the summary that `learn` stores."""
    if not tracks:
        return ()
    found = planning.obedience([(row.asked, row.realised) for row in tracks])
    return tuple(
        Habit(
            dimension=name,
            pairs=tuple((row.asked.values[k], row.realised.values[k]) for row in tracks),
            bias=found["bias"][name],
            spread=found["spread"][name],
        )
        for k, name in enumerate(DIMENSIONS)
    )


def _newest(plans: Mapping[int, PlanView]) -> PlanView | None:
    return plans[max(plans)] if plans else None


def _imprint(session: Session, artist_id: int) -> Imprint:
    tracks = track.of_artist(session, artist_id)
    return Imprint(
        made_at=datetime.now(UTC),
        version=__version__,
        extractors=tuple(sorted({row.extractor for row in tracks})),
        disclosed=tuple(sorted({part for row in tracks for part, machine in row.disclosure.items() if machine})),
        rights=tuple(sorted({_rights(row.rights) for row in tracks})),
        last_report=performance.last_day(session),
    )


def _rights(receipt: Mapping[str, Any]) -> str:
    return f"{receipt['provider']} ({receipt['model']}), plan {receipt['plan']}. Terms: {receipt['terms']}"
