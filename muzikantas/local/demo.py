"""The demonstration: artists of ours, real workers, the sandbox's market; cycle after cycle until told."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from muzikantas.domain.errors import MuzikantasError
from muzikantas.domain.profile import Bounds, Profile
from muzikantas.local.stack import Stack
from muzikantas.models import artist, budget, cycle, generation, insight, performance, take, track
from muzikantas.models.cycle import Cycle
from muzikantas.studio import studio
from muzikantas.tasks import collect_performance, evolve_artist
from muzikantas.tasks.learning import observations

#: Days that pass on the sandbox's calendar when a cycle closes: as many as an outcome counts.
DAYS_A_CYCLE = 7
#: A cycle that takes longer than this on one machine has been lost; the demonstration says so and ends.
CYCLE_S = 240.0

CAST = (
    ("Nova Rey", "dream pop", "synthwave", "writes night music for empty highways and the hour before sunrise"),
    ("Mira Sol", "indie folk", "lo-fi hip hop", "records in kitchens and stairwells and keeps every creak"),
    ("Kazimir Volt", "deep house", "electro swing", "builds machines that remember how their grandparents danced"),
)


@dataclass(frozen=True, kw_only=True)
class SlotView:
    """One slot as a person follows it."""

    slot: int
    state: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class CycleView:
    """One running cycle as a person follows it."""

    artist: str
    number: int
    stage: str
    slots: Sequence[SlotView]


def cast(count: int, *, slots: int, seed: int, policy: str) -> list[int]:
    """Create the demonstration's artists; give their ids."""
    made = []
    with studio().begin() as session:
        for index in range(count):
            name, *genres, line = CAST[index % len(CAST)]
            name = name if index < len(CAST) else f"{name} {index // len(CAST) + 1}"
            profile = Profile(
                persona=f"{name} {line}. Quiet in interviews, exact in the studio, and never twice the same.",
                backstory=f"{name} began with a borrowed four-track recorder and a radio that caught only static.",
                personality={"warmth": 0.5, "boldness": 0.4, "melancholy": 0.5},
                corridor={genre: Bounds(tempo_bpm=(70.0, 160.0)) for genre in genres},
            )
            row = artist.create(
                session,
                profile,
                name=name,
                language="en",
                countries=["US", "DE"],
                policy=policy,
                release_rule="content_check",
                slots=slots,
                seed=seed + index,
            )
            budget.set_limits(session, row.id, budget.CREDITS, soft=None, hard=100_000)
            budget.set_limits(session, row.id, budget.USD_MICROS, soft=None, hard=50_000_000)
            made.append(row.id)
    return made


def run(stack: Stack, artist_ids: Sequence[int], cycles: int, show: Callable[[list[CycleView]], None]) -> None:
    """Turn the loop `cycles` times for every artist; the sandbox's days pass when a round has closed."""
    for _ in range(cycles):
        with studio().begin() as session:
            before = {artist_id: len(cycle.of_artist(session, artist_id)) for artist_id in artist_ids}
        for artist_id in artist_ids:
            evolve_artist.delay(artist_id)
        _follow(stack, before, show)
        _wait_for_releases(stack)
        advance(stack, DAYS_A_CYCLE)
    advance(stack, 1)
    collect_performance.delay().get(timeout=60)


def _follow(stack: Stack, before: Mapping[int, int], show: Callable[[list[CycleView]], None]) -> None:
    """Show the cycles of this round until that of every artist has ended; `before` counts the earlier ones."""
    deadline = time.monotonic() + CYCLE_S
    while time.monotonic() < deadline:
        stack.supervisor.poll()
        with studio().begin() as session:
            rounds = [cycle.of_artist(session, artist_id)[count:] for artist_id, count in before.items()]
            show([view(session, row) for rows in rounds for row in rows])
        if all(rows and rows[0].state != cycle.RUNNING for rows in rounds):
            return
        time.sleep(0.3)
    raise MuzikantasError(f"a cycle did not end in {CYCLE_S:.0f} s; the logs are in {stack.home.logs}")


def _wait_for_releases(stack: Stack) -> None:
    """Let every release that was decided go out before the day changes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        stack.supervisor.poll()
        with studio().begin() as session:
            if all(row.published_at for row, _ in track.releases(session)):
                return
        time.sleep(0.2)


def view(session: Session, turn: Cycle) -> CycleView:
    """Describe a cycle and each of its slots."""
    slots = []
    for row in generation.of_cycle(session, turn.id):
        takes = take.of_generation(session, row.id)
        if row.finished_at is not None:
            state = "track" if row.state == generation.COMPLETE else row.state
        elif row.state == generation.COMPLETE:
            state = "listening" if any(t.state != take.ANNOUNCED for t in takes) else "copying"
        else:
            state = {generation.INTENDED: "waiting", generation.SUBMITTED: "generating"}.get(row.state, row.state)
        detail = row.words.title or row.words.style
        slots.append(SlotView(slot=row.slot, state=state, detail=row.reason or detail))
    name = artist.get(session, turn.artist_id).name
    return CycleView(artist=name, number=turn.number, stage=turn.stage, slots=slots)


def advance(stack: Stack, days: int) -> str:
    """Let days pass on the sandbox's calendar; give the new day."""
    return str(_admin(stack, "advance", {"days": days})["day"])


def ledger(stack: Stack) -> dict[str, Any]:
    """Ask the sandbox what was really paid."""
    answer: dict[str, Any] = _admin(stack, "ledger")
    return answer


def _admin(stack: Stack, what: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 (JSON)
    url = f"{stack.sandbox_url}/admin/{what}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
        return json.load(answer)


def summary(stack: Stack, artist_ids: Sequence[int]) -> dict[str, Any]:
    """Count what happened, ours beside the sandbox's own ledger."""
    settings = studio().settings
    paid = ledger(stack)
    with studio().begin() as session:
        cycles = [row for artist_id in artist_ids for row in cycle.of_artist(session, artist_id)]
        slots = [row for turn in cycles for row in generation.of_cycle(session, turn.id)]
        tracks = [row for artist_id in artist_ids for row in track.of_artist(session, artist_id)]
        stored = {row.generation_id for row in tracks if studio().store.has(row.audio_key)}
        by_cycle: dict[int, list[float]] = {}
        for artist_id in artist_ids:
            for seen in observations(session, artist_id, days=settings.outcome_days):
                if seen.weight > 0:
                    by_cycle.setdefault(seen.cycle, []).append(seen.outcome)
        numbers = sorted({row.number for row in cycles})
        plans = sum(len(insight.plans(session, artist_id)) for artist_id in artist_ids)
        rows = performance.count(session)
        spent = [budget.spent_by(session, artist_id, budget.CREDITS)[0] for artist_id in artist_ids]
    references = [(entry["reference"] or "").rstrip("/").rpartition("/")[2] for entry in paid["requests"]]
    settled = {str(row.reference) for row in slots if row.id in stored or (row.finished_at and row.reason)}
    return {
        "cycles_closed": sum(row.state == "closed" for row in cycles),
        "cycles": len(cycles),
        "slots": len(slots),
        "tracks_made": len(tracks),
        "paid_requests": sum(row.submitted_at is not None or row.state == generation.UNKNOWN for row in slots),
        "provider_paid_requests": paid["paid_requests"],
        "paid_twice": len(references) - len(set(references)),
        "lost": sum(reference not in settled for reference in set(references)),
        "credits_spent": sum(spent),
        "provider_credits_spent": paid["credits_spent"],
        "plans": plans,
        "performance_rows": rows,
        "outcome_by_cycle": {number: _mean(by_cycle, [number]) for number in numbers},
        "outcome_first_two_cycles": _mean(by_cycle, numbers[:2]),
        "outcome_last_two_cycles": _mean(by_cycle, numbers[-2:]),
        "database_url": settings.database_url.get_secret_value(),
        "home": str(stack.home.path),
    }


def _mean(by_cycle: dict[int, list[float]], numbers: Sequence[int]) -> float | None:
    values = [value for number in numbers for value in by_cycle.get(number, [])]
    return round(float(np.mean(values)), 3) if values else None
