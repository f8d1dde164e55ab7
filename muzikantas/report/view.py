"""What the report shows, as frozen values: `rows` gathers them, `pages` lays them out, tests write them by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from muzikantas.analysis.claims import Effect
from muzikantas.domain.style import Style
from muzikantas.report.curve import Curve
from muzikantas.report.diff import Piece
from muzikantas.report.evolution import Evolution


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Where every music request that may have cost money stands; what adds up to `sent` is accounted for."""

    sent: int
    tracks: int  #: became a track
    ended: int  #: ended without a track, with a reason
    under_way: int
    unknown: int  #: nobody knows whether it was made; counted as spent
    lost: int  #: ended with neither a track nor a reason
    again: int  #: later attempts at a slot, which a person or a budgeted rule decided


@dataclass(frozen=True, kw_only=True)
class Head:
    """Who the artist is and the figures on top."""

    name: str
    persona: str
    genres: tuple[str, ...]
    voice: str
    language: str
    countries: tuple[str, ...]
    policy: str
    version: int
    cycles: Mapping[str, int]  #: state → how many
    tracks: int
    releases: int  #: published
    waiting: int  #: decided, not yet published
    streams: Mapping[str, int]  #: platform → streams since release
    credits: int
    usd_micros: int
    promise: Promise


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """Streams that look bought or counted wrongly, and are left out of every outcome."""

    track: str
    platform: str
    country: str
    first: date
    last: date
    streams: int
    usual: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class OtherPolicy:
    """What another way of choosing would have earned, in mean log streams, beside what was earned."""

    value: float
    error: float
    effective: float
    earned: float
    releases: int


@dataclass(frozen=True, kw_only=True)
class ControlView:
    """How one provider answers one genre, a value a dimension."""

    provider: str
    genre: str
    tracks: int
    bias: Mapping[str, float]
    bias_error: Mapping[str, float]
    slope: Mapping[str, float]
    slope_error: Mapping[str, float]
    spread: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class FindingsView:
    """The newest analysis of the artist's releases."""

    cycle: int
    made_at: datetime
    effects: tuple[Effect, ...]
    releases: int
    releases_needed: int | None
    since: int  #: outcomes that came in after it
    control: tuple[ControlView, ...] = ()
    quarantine: tuple[SetAside, ...] = ()
    without_exploring: OtherPolicy | None = None  #: only where its effective sample size is large enough


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How the generator answered one dimension: asked and heard of every track, on the scale from 0 to 1."""

    dimension: str
    pairs: tuple[tuple[float, float], ...]
    bias: float
    spread: float


@dataclass(frozen=True, kw_only=True)
class TrackView:
    """A track: what was heard and how it did."""

    id: int
    audio_key: str
    heard: Style
    tempo_bpm: float
    key: str
    mode: str
    key_confidence: float
    loudness_lufs: float
    duration_s: float
    first_streams: int | None  #: in the first days that an outcome counts; None while it is too young
    streams: int | None  #: since release; None when no report has named it
    release: str  #: in words
    foretold_from: int | None = None  #: days that were reported, where the others are foretold


@dataclass(frozen=True, kw_only=True)
class SlotView:
    """One slot of a cycle: what was asked, and what came of it."""

    slot: int
    attempt: int
    state: str
    reason: str | None
    title: str | None
    words: str
    why: str
    asked: Style
    credits: int
    track: TrackView | None


@dataclass(frozen=True, kw_only=True)
class PlanItem:
    """One style that a plan asks for."""

    words: str
    reason: str
    expected: float | None
    uncertainty: float | None
    propensity: float | None
    evidence: tuple[tuple[int, str], ...]  #: tracks that speak for it: id, title


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """A plan and the market as it saw it."""

    cycle: int  #: the cycle that ended with it
    policy: str
    made_at: datetime
    items: tuple[PlanItem, ...]
    market: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class CycleView:
    """One turn of the loop."""

    number: int
    state: str
    stage: str
    reason: str | None
    version: int  #: of the profile that it worked with
    started_at: datetime
    ended_at: datetime | None
    slots: tuple[SlotView, ...]
    plan: PlanView | None


@dataclass(frozen=True, kw_only=True)
class TextChange:
    """One text of the profile that differs from the version before."""

    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class TraitChange:
    """One trait of the personality, before and now; None where there was none."""

    name: str
    before: float | None
    now: float | None


@dataclass(frozen=True, kw_only=True)
class VersionView:
    """One version of the profile, by what changed."""

    version: int
    kind: str
    parent: int | None
    plan_cycle: int | None  #: the cycle whose plan led to it
    reason: str
    made_at: datetime
    texts: tuple[TextChange, ...]
    traits: tuple[TraitChange, ...]


@dataclass(frozen=True, kw_only=True)
class Month:
    """What one month took of a budget."""

    period: str
    unit: str
    spent: int
    reserved: int
    soft_limit: int | None
    hard_limit: int | None

    @property
    def above_soft_limit(self) -> bool:
        """Whether it is time to warn."""
        return self.soft_limit is not None and self.spent + self.reserved > self.soft_limit


@dataclass(frozen=True, kw_only=True)
class CreditUse:
    """What became of the requests that credits were spent on."""

    outcome: str
    requests: int
    credits: int


@dataclass(frozen=True, kw_only=True)
class Calls:
    """The calls of language models for one purpose."""

    purpose: str
    models: tuple[str, ...]
    outcomes: Mapping[str, int]  #: state → how many
    input_tokens: int
    output_tokens: int
    cost_micros: int


@dataclass(frozen=True, kw_only=True)
class MoneyView:
    """Where the money went."""

    months: tuple[Month, ...]
    credit_uses: tuple[CreditUse, ...]
    refunded: int
    calls: tuple[Calls, ...]


@dataclass(frozen=True, kw_only=True)
class Imprint:
    """What stands at the foot of the page."""

    made_at: datetime
    version: str
    extractors: tuple[str, ...]
    disclosed: tuple[str, ...]  #: parts that a machine made
    rights: tuple[str, ...]  #: provider, plan, model and terms, each combination once
    last_report: date | None  #: newest day that any streams report covers


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything on the page, but the sound."""

    head: Head
    days: int  #: that an outcome counts
    curve: Curve
    findings: FindingsView | None
    habits: tuple[Habit, ...]
    cycles: tuple[CycleView, ...]  #: newest first
    versions: tuple[VersionView, ...]  #: newest first
    plan: PlanView | None  #: the newest
    money: MoneyView
    imprint: Imprint
    evolution: Evolution = field(default_factory=Evolution)
