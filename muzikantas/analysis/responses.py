"""From reported days to what is learnt from: outcomes cleaned, foretold, without promotion, of releases that count."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from muzikantas.analysis import control, promotion
from muzikantas.analysis.control import Made
from muzikantas.analysis.daily import WORLDWIDE, DailyRows, by_age
from muzikantas.analysis.history import Observation
from muzikantas.analysis.outcome import AGES, Decay, Outcome, learn_decay, outcomes, weight_of
from muzikantas.analysis.promotion import Correction, Promoted
from muzikantas.analysis.quarantine import Quarantined, quarantine
from muzikantas.domain.promotion import Promotion
from muzikantas.domain.style import Style, StyleSpace


@dataclass(frozen=True, kw_only=True)
class Song:
    """A track as learning needs it.

    Parameters
    ----------
    certainty
        How far the style that was heard can be trusted; 1 is a recording beyond doubt.
    lost
        Why its outcome says nothing about the artist as it is, in words; None where it does.
    """

    id: int
    cycle: int
    asked: Style
    realised: Style
    certainty: float
    provider: str
    lost: str | None


@dataclass(frozen=True, kw_only=True)
class Reports:
    """What is known of one artist's tracks at one moment; `volumes` are the whole label's, by platform and day."""

    space: StyleSpace
    songs: Sequence[Song]
    daily: Sequence[DailyRows]
    volumes: Mapping[str, Mapping[date, int]]
    promotions: Sequence[Promotion]

    @property
    def made(self) -> list[Made]:
        """What was asked and heard, as it was heard."""
        return [Made(provider=song.provider, asked=song.asked, realised=song.realised) for song in self.songs]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the reports say.

    Parameters
    ----------
    observations
        Every track as the policy reads it; its realised style is its place on the scale of what is asked
        (`control.placed`). What is too young, unheard or lost has the weight 0: it says nothing of taste, yet the next
        choice should not repeat it.
    outcomes
        Streams as they were, promotion included, of every track that a report names.
    decay
        How the artist's releases fade, learnt without the streams in quarantine.
    quarantine
        Streams that are left out.
    corrections
        What was taken off the outcomes of promoted tracks, by track.
    lost
        Why the outcomes of these tracks do not count, by track.
    released
        Days of release of the tracks that a report names.
    """

    observations: Sequence[Observation]
    outcomes: Mapping[int, Outcome]
    decay: Decay
    quarantine: Sequence[Quarantined]
    corrections: Mapping[int, Correction]
    lost: Mapping[int, str]
    released: Mapping[int, date]


def hear(reports: Reports, label: Sequence[Reports] = (), *, days: int) -> Heard:
    """Read the outcomes of an artist's first `days` days; `label` are other artists with promoted tracks.

    Their reports matter only where the artist has promoted tracks itself.
    """
    heard = _clean(reports, days)
    usual = promotion.usual_sizes([each for one in (reports, *label) for each in one.promotions])
    own = _promoted(reports, heard, usual, days)
    if not own.doses:
        return heard
    others = [_promoted(each, _clean(each, days), usual, days) for each in label]
    effects = promotion.learn_effects(own, others)
    corrections = {
        each.id: promotion.correction(own.doses[each.id], effects)
        for each in heard.observations
        if each.id is not None and each.id in own.doses and each.weight > 0
    }
    corrected = [
        _corrected(each, heard.outcomes[each.id], corrections[each.id]) if each.id in corrections else each
        for each in heard.observations
    ]
    return replace(heard, observations=corrected, corrections=corrections)


def _clean(reports: Reports, days: int) -> Heard:
    """Read the outcomes with what promotion brought."""
    series = by_age(reports.daily, reports.volumes)
    released = {row.release: row.released_on for row in reports.daily}
    usual = learn_decay(series, days)
    kept, aside = quarantine(series, usual, promotion.promoted_days(reports.promotions, released, AGES))
    decay = learn_decay(kept, days) if aside else usual
    found = outcomes(kept, decay, days)
    return Heard(
        observations=[
            _observation(song, place, found.get(song.id))
            for song, place in zip(reports.songs, control.placed(reports.made), strict=True)
        ],
        outcomes=found,
        decay=decay,
        quarantine=aside,
        corrections={},
        lost={song.id: song.lost for song in reports.songs if song.lost is not None},
        released=released,
    )


def _observation(song: Song, place: Style, found: Outcome | None) -> Observation:
    weight = song.certainty * found.weight if found is not None and song.lost is None else 0.0
    by_country = found.by_country if found is not None and weight > 0 else {}
    return Observation(
        cycle=song.cycle,
        asked=song.asked,
        realised=place,
        outcome=math.log1p(found.streams) if found is not None and weight > 0 else 0.0,
        by_country={country: math.log1p(n) for country, n in by_country.items() if country != WORLDWIDE},
        weight=weight,
        age_days=found.age_days if found is not None else None,
        id=song.id,
        provider=song.provider,
    )


def _promoted(reports: Reports, heard: Heard, usual: Mapping[tuple[str, str], float], days: int) -> Promoted:
    doses = promotion.doses(reports.promotions, heard.released, usual, days)
    return Promoted(observations=heard.observations, space=reports.space, doses=doses)


def _corrected(seen: Observation, found: Outcome, off: Correction) -> Observation:
    """Take promotion off an outcome; its doubt joins the one of foretelling."""
    return replace(
        seen,
        outcome=seen.outcome - off.change,
        by_country={country: value - off.change for country, value in (seen.by_country or {}).items()},
        weight=seen.weight * weight_of(math.hypot(found.error, off.error)) / weight_of(found.error),
    )
