"""What one slot asks a music provider for, and what comes back."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Brief:
    """One paid request in words; `lyrics` is None for an instrumental, `title` None while no model has written one."""

    style: str
    title: str | None
    lyrics: str | None
    negative_tags: str
    vocal_gender: str | None
    model: str


@dataclass(frozen=True, kw_only=True)
class AudioOffer:
    """One take as the provider offers it for download."""

    provider_id: str
    url: str
    duration_s: float | None


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What the provider says of a job: still going (`takes` and `failure` None), made, or failed."""

    takes: tuple[AudioOffer, ...] | None = None
    failure: str | None = None
    refused: bool = False
    refunded: bool = False
