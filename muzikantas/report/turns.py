"""The cycles' side of the report: slots, tracks and plans, as values."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from muzikantas.analysis.outcome import Outcome
from muzikantas.models import cycle, generation, insight, performance, track
from muzikantas.models.generation import Generation
from muzikantas.models.track import Release, Track
from muzikantas.report.ledger import Slot
from muzikantas.report.view import CycleView, PlanItem, PlanView, SlotView, TrackView
from muzikantas.report.words import day


def ledger_rows(session: Session, artist_id: int) -> list[Slot]:
    """Read every request of an artist as the ledger needs it."""
    made = {row.generation_id for row in track.of_artist(session, artist_id)}
    return [
        Slot(
            state=row.state,
            attempt=row.attempt,
            sent=row.submitted_at is not None,
            finished=row.finished_at is not None,
            reason=row.reason,
            credits=row.credits,
            has_track=row.id in made,
        )
        for turn in cycle.of_artist(session, artist_id)
        for row in generation.of_cycle(session, turn.id)
    ]


def titles(session: Session, artist_id: int) -> dict[int, str]:
    """Read what an artist's tracks are called, by their ids."""
    return {row.id: row.title or f"track {row.id}" for row in track.of_artist(session, artist_id)}


def plans(session: Session, artist_id: int) -> dict[int, PlanView]:
    """Read an artist's plans by id; evidence is named by the tracks' titles."""
    named = titles(session, artist_id)
    numbers = {turn.id: turn.number for turn in cycle.of_artist(session, artist_id)}
    return {
        row.id: PlanView(
            cycle=numbers[row.cycle_id],
            policy=row.policy,
            made_at=row.created_at,
            items=tuple(
                PlanItem(
                    words=item["words"],
                    reason=item["reason"],
                    expected=item["expected"],
                    uncertainty=item["uncertainty"],
                    propensity=item["propensity"],
                    evidence=tuple((id_, named[id_]) for id_ in item["evidence"] if id_ in named),
                )
                for item in row.items
            ),
            market=row.market,
        )
        for row in insight.plans(session, artist_id)
    }


def cycles(
    session: Session,
    artist_id: int,
    outcomes: Mapping[int, Outcome],
    planned: Mapping[int, PlanView],
    versions: Mapping[int, int],
    *,
    days: int,
) -> tuple[CycleView, ...]:
    """Read an artist's cycles, newest first; `outcomes` by track, `versions` by the profile's id."""
    tracks = _tracks(session, artist_id, outcomes, days)
    ended_with = {plan.cycle: plan for plan in planned.values()}
    return tuple(
        CycleView(
            number=turn.number,
            state=turn.state,
            stage=turn.stage,
            reason=turn.reason,
            version=versions[turn.profile_id],
            started_at=turn.started_at,
            ended_at=turn.ended_at,
            slots=tuple(_slot(row, tracks.get(row.id)) for row in generation.of_cycle(session, turn.id)),
            plan=ended_with.get(turn.number),
        )
        for turn in reversed(cycle.of_artist(session, artist_id))
    )


def _slot(row: Generation, made: TrackView | None) -> SlotView:
    words = row.words
    return SlotView(
        slot=row.slot,
        attempt=row.attempt,
        state="track" if made else row.state,
        reason=row.reason,
        title=words.title,
        words=words.style,
        why=row.why_asked,
        asked=row.asked,
        credits=row.credits,
        track=made,
    )


def _tracks(session: Session, artist_id: int, outcomes: Mapping[int, Outcome], days: int) -> dict[int, TrackView]:
    """Read an artist's tracks by the request that they came from; streams are as they were, promotion included."""
    first = {track_id: round(found.streams) for track_id, found in outcomes.items() if found.weight > 0}
    young = {track_id: found.age_days for track_id, found in outcomes.items() if found.age_days < days}
    out = {row.track_id: row for row, _ in track.releases(session, artist_id)}
    streams = performance.streams_since_release(session, artist_id)
    return {
        row.generation_id: TrackView(
            id=row.id,
            audio_key=row.audio_key,
            heard=row.realised,
            tempo_bpm=row.tempo_bpm,
            key=row.key,
            mode=row.mode,
            key_confidence=row.features["key_confidence"],
            loudness_lufs=row.loudness_lufs,
            duration_s=row.duration_s,
            first_streams=first.get(row.id),
            foretold_from=young.get(row.id),
            streams=sum(streams[row.id].values()) if row.id in streams else None,
            release=_release(out.get(row.id), row),
        )
        for row in track.of_artist(session, artist_id)
    }


def _release(decision: Release | None, row: Track) -> str:
    """Say in words whether a track is out."""
    if decision is None:
        return "not released" if row.title else "not released: no model has written a title"
    if decision.released_on is None:
        return f"release decided by {decision.decided_by}, not delivered yet"
    return f"released {day(decision.released_on)} by {decision.decided_by}"
