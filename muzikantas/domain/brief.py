"""What one slot asks a music provider for, what comes back, and what is known of a provider."""

from dataclasses import dataclass
from typing import Literal


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
class Submitted:
    """A paid request that the provider took on; a synchronous one has already sent the audio of its takes."""

    task_id: str
    audio: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AudioOffer:
    """One take as the provider offers it for download."""

    provider_id: str
    url: str
    duration_s: float | None


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What the provider says of a job: still going (`takes` and `failure` None), made, or failed.

    `so_far` are takes that have audio although the job is not made: at a deadline they are all that there will be.
    """

    takes: tuple[AudioOffer, ...] | None = None
    failure: str | None = None
    refused: bool = False
    refunded: bool = False
    so_far: tuple[AudioOffer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CallbackNews:
    """What a callback says. Anybody may have sent it: a reason to look at the job, never the job's end by itself."""

    task_id: str
    kind: Literal["text", "first", "complete", "error"]
    takes: tuple[AudioOffer, ...] = ()
    failure: str | None = None
    refused: bool = False
    refunded: bool = False


@dataclass(frozen=True, kw_only=True)
class ProviderFacts:
    """What is known of a music provider. Documented defaults; an installation may know better and overrides them."""

    name: str
    takes: int  #: that one paid request yields
    synchronous: bool  #: the answer to the request holds the audio, and nothing can be looked up later
    polls_count_as_calls: bool  #: whether a look uses up the rate limit
    retention_days: int  #: after it the provider deletes its files; 0: it keeps none
    models: tuple[str, ...]
    default_model: str
    credits_per_request: int
    rate_calls: int  #: paid requests in any `rate_window_s`
    rate_window_s: float
    concurrency: int  #: jobs of one account at the same time
    answer_s: float  #: longest whole answer to a paid request that is waited for
    usual_s: float  #: from request to audio, until enough durations were observed
    has_list: bool  #: whether jobs can be listed, which would settle a lost answer
    has_balance: bool
    commercial_rights: str
    terms: str
    source: str


def cut_at_word(text: str, limit: int) -> str:
    """Shorten a text to at most `limit` characters, between words where it has any.

    >>> cut_at_word("deep house, 124 bpm", 100), cut_at_word("deep house, 124 bpm", 12), cut_at_word("tremolo", 4)
    ('deep house, 124 bpm', 'deep house', 'trem')
    """
    if len(text) <= limit:
        return text
    whole_words = text[: limit + 1].rpartition(" ")[0]
    return (whole_words or text[:limit]).rstrip(" ,;:-")
