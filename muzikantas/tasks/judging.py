"""The way back: judge the running experiment before a cycle is made, and carry the verdict out."""

import dataclasses
import logging
from typing import Any

from muzikantas.analysis.experiment import Adopt, Evidence, Revert, Running, Verdict, power_in_words, verdict
from muzikantas.analysis.responses import hear
from muzikantas.models import artist, audit, experiment, track
from muzikantas.models.artist import ArtistProfile
from muzikantas.models.cycle import Cycle
from muzikantas.studio import Studio
from muzikantas.tasks.learning import read

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
        reports, versions = read(session, turn.artist_id), track.written_by(session, turn.artist_id)
    heard = hear(*reports, days=studio.settings.outcome_days)
    found = verdict(
        [each for each in heard.observations if each.id not in heard.lost],
        {track_id for track_id, version in versions.items() if version == trial.changed_id},
        reports[0].space,
        began=trial.began,
        cycle=turn.number,
    )
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


def as_content(evidence: Evidence) -> dict[str, Any]:
    """Write evidence as JSON, with what such an experiment can show at all."""
    numbers = {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in dataclasses.asdict(evidence).items()
    }
    return {**numbers, "power": power_in_words(evidence.luck_sd)}
