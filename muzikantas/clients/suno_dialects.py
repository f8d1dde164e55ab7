"""The two gateways to Suno, as tables: the same format, other numbers for the same thing, one with signed callbacks.

Sources: docs.sunoapi.org, pages "Generate Music", "Get Remaining Credits"; docs.kie.ai, pages "Generate Music", "Get
Remaining Credits", "Webhook Security Verification".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from muzikantas.clients.http import TOTAL_S
from muzikantas.domain.brief import ProviderFacts


class Verdict(Enum):
    """What an answer's code means for the request that it answers: in every case nothing was made."""

    TOO_FAST = "too fast"
    MAINTENANCE = "the provider is down for maintenance"
    NO_CREDITS = "the account is out of credits"
    WRONG_KEY = "the key was not accepted"
    REFUSED = "the request was not accepted"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What one gateway says differently from its siblings."""

    name: str
    codes: Mapping[int, Verdict]  #: documented as "not created"; any other code of a submit is an unknown outcome
    credit_paths: tuple[str, ...]  #: asked one after the other until one is no 404
    too_fast_s: float = 10.0  #: how long to stay away after `TOO_FAST`: the documented window
    maintenance_s: float = 120.0
    title_chars: int = 80  #: the shorter of what the two document
    #: Model → characters of style and of lyrics; every other model has the second pair.
    short_models: Mapping[str, tuple[int, int]]
    style_chars: int = 1000
    lyrics_chars: int = 5000
    sentinel_callback: str = "https://callback.invalid/"  #: the field is required; this reaches nobody (RFC 6761)

    def lengths(self, model: str) -> tuple[int, int]:
        """Give the longest style and the longest lyrics that a model takes."""
        return self.short_models.get(model, (self.style_chars, self.lyrics_chars))


SUNOAPI = Dialect(
    name="sunoapi",
    codes={
        400: Verdict.REFUSED,
        401: Verdict.WRONG_KEY,
        404: Verdict.REFUSED,
        405: Verdict.TOO_FAST,
        413: Verdict.REFUSED,
        429: Verdict.NO_CREDITS,
        430: Verdict.TOO_FAST,
        451: Verdict.REFUSED,
        455: Verdict.MAINTENANCE,
    },
    credit_paths=("/api/v1/generate/credit",),
    short_models={"V4": (200, 3000)},
)

KIE = Dialect(
    name="kie",
    codes={
        401: Verdict.WRONG_KEY,
        402: Verdict.NO_CREDITS,
        404: Verdict.REFUSED,
        422: Verdict.REFUSED,
        429: Verdict.TOO_FAST,
        433: Verdict.NO_CREDITS,  # what this key may spend of the account is used up
        451: Verdict.REFUSED,
        455: Verdict.MAINTENANCE,
        505: Verdict.REFUSED,  # "the requested feature is currently disabled"
    },
    # Its own page names the first; the second is its sibling's.
    credit_paths=("/api/v1/chat/credit", "/api/v1/generate/credit"),
    short_models={"V4": (200, 3000)},
)

_TERMS = "not recorded; set the terms that your plan was bought under"
_RIGHTS = "unclear: the gateway does not say whether its key carries a licence of Suno's"

SUNOAPI_FACTS = ProviderFacts(
    name="sunoapi",
    takes=2,
    synchronous=False,
    polls_count_as_calls=False,
    retention_days=14,
    models=("V4", "V4_5", "V4_5PLUS", "V4_5ALL", "V5", "V5_5", "V6", "V6_MINI", "V6_WILD"),
    default_model="V5",
    credits_per_request=12,
    rate_calls=20,
    rate_window_s=10.0,
    concurrency=20,
    answer_s=TOTAL_S,
    usual_s=150.0,
    has_list=False,
    has_balance=True,
    commercial_rights=_RIGHTS,
    terms=_TERMS,
    source="docs.sunoapi.org; retention, price and concurrency are the cautious reading of what its pages say",
)

#: What its pages leave out is taken from its sibling.
KIE_FACTS = replace(
    SUNOAPI_FACTS,
    name="kie",
    source="docs.kie.ai; rate and concurrency as its sibling's, since its pages give only that of looks (3 a second)",
)
