"""The experiments' side of the report: changes on trial, how varied the catalogue is, and what its tracks will earn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.models import artist, experiment, insight
from muzikantas.report.learning import Learning, learning


@dataclass(frozen=True, kw_only=True)
class TrialView:
    """One change on trial: two versions by number, and the newest verdict with what it stands on."""

    before: int
    changed: int
    began: int  #: the first cycle that both made tracks in
    state: str
    reason: str
    evidence: Mapping[str, Any]  #: empty before the first verdict


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """What the report says about changes, newest first, and what the newest analysis says of what they stand on."""

    trials: tuple[TrialView, ...] = ()
    spread: Mapping[str, Any] | None = None
    revenue: Mapping[str, Any] | None = None
    learning: Learning = field(default_factory=Learning)

    @property
    def power(self) -> str | None:
        """What an experiment of this artist can show at all, in words."""
        return next((trial.evidence["power"] for trial in self.trials if trial.evidence), None)

    @property
    def payable(self) -> float | None:
        """How many tracks are expected to pass the threshold of payment in their first year."""
        return sum(self.revenue["payable"].values()) if self.revenue and self.revenue["payable"] else None


def evolution(session: Session, artist_id: int) -> Evolution:
    """Read an artist's experiments and the summaries that `learn` has stored; None where it stored none."""
    numbers = {row.id: row.version for row in artist.history(session, artist_id)}
    trials = tuple(
        TrialView(
            before=numbers[row.before_id],
            changed=numbers[row.changed_id],
            began=row.began,
            state=row.state,
            reason=row.reason or "no cycle has judged it yet",
            evidence=row.evidence or {},
        )
        for row in reversed(experiment.of_artist(session, artist_id))
    )
    analyses = insight.analyses_of(session, "releases", f"artist:{artist_id}")
    content = analyses[-1].content if analyses else {}
    return Evolution(
        trials=trials,
        spread=content.get("spread"),
        revenue=content.get("revenue"),
        learning=learning(session, artist_id, content),
    )
