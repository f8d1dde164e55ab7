"""The way back: judge the running experiment before a cycle is made, and carry the verdict out."""

import dataclasses
import logging
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.analysis.experiment import Adopt, Evidence, Revert, Running, Verdict, power_in_words, verdict
from muzikantas.models import artist, audit, experiment, track
from muzikantas.models.artist import ArtistProfile
from muzikantas.models.cycle import Cycle
from muzikantas.models.experiment import Experiment
from muzikantas.studio import Studio
from muzikantas.tasks.learning import observations

logger = logging.getLogger(__name__)

#: What a verdict makes of an experiment.
STATES: dict[type[Verdict], str] = {
    Running: experiment.RUNNING,
    Adopt: experiment.ADOPTED,
    Revert: experiment.REVERTED,
}


def judge(studio: Studio, turn: Cycle) -> None:
    """Judge the artist's experiment by what has been heard before this cycle, once; a lost one brings the old back."""
    with studio.begin() as session:
        trial = experiment.running(session, turn.artist_id)
        if trial is None or (trial.judged or 0) >= turn.number:
            return
        found = _verdict(session, trial, turn.number, days=studio.settings.outcome_days)
    state, evidence = STATES[type(found)], as_content(found.evidence)
    with studio.begin() as session:
        artist.lock(session, turn.artist_id)
        if not experiment.record(session, trial.id, turn.number, state=state, reason=found.reason, evidence=evidence):
            return
        if isinstance(found, Revert):
            newest = artist.current(session, turn.artist_id)
            artist.take_back(session, newest, session.get_one(ArtistProfile, trial.before_id), found.reason)
        if not isinstance(found, Running):
            about, details = f"artist:{turn.artist_id}", {"experiment": trial.id, "reason": found.reason}
            audit.note(session, "muzikantas", f"experiment {state}", about, **details, evidence=evidence)
            logger.info("experiment %d is over: %s", trial.id, found.reason)


def _verdict(session: Session, trial: Experiment, number: int, *, days: int) -> Verdict:
    """Ask the stop rule; tracks of versions that lost an earlier experiment are left out."""
    versions = track.written_by(session, trial.artist_id)
    lost = experiment.taken_back(session, trial.artist_id)
    seen = observations(session, trial.artist_id, days=days)
    return verdict(
        [each for each in seen if versions.get(each.id or 0) not in lost],
        {track_id for track_id, version in versions.items() if version == trial.changed_id},
        artist.current(session, trial.artist_id).profile.space(),
        began=trial.began,
        cycle=number,
    )


def as_content(evidence: Evidence) -> dict[str, Any]:
    """Write evidence as JSON, with what such an experiment can show at all."""
    numbers = {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in dataclasses.asdict(evidence).items()
    }
    return {**numbers, "power": power_in_words(evidence.luck_sd)}
