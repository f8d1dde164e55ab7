"""What can go wrong at each endpoint, and the words that a fault script has for it. Pure tables."""

from typing import Any

Deed = dict[str, Any]

#: What every endpoint can be told to do: a plain HTTP answer, a broken connection, a late answer.
_ANYWHERE = frozenset({"http", "status", "retry_after", "error_code", "drop", "delay_s"})

#: What any file can suffer on its way; and what only a song can.
_FILE = frozenset({"zero_bytes", "truncated", "html", "expired"})
AUDIO = _FILE | {"identical_takes", "short", "silent"}

#: Accepted and charged, but the answer that says so never leaves whole.
UNANSWERED = frozenset({"accept_then_drop", "accept_then_http", "accept_then_code"})

#: What stays with a job of a gateway and is obeyed whenever it is looked at.
_JOB = UNANSWERED | {"code", "fail", "callback", "keep_days"}

_WORDS = frozenset({"refusal", "incomplete", "invalid_json"})

#: The deeds of every endpoint. A deed on `generate` or `wav` that is no answer stays with the job that it hit: its
#: records, callbacks and files obey it from then on. A new provider or deed is a line here and a reader of it there.
DEEDS: dict[tuple[str, str], frozenset[str]] = {
    **{
        (gateway, endpoint): deeds
        for gateway in ("suno", "kie")
        for endpoint, deeds in {
            "generate": _ANYWHERE | AUDIO | _JOB | {"refund"},
            "record-info": _ANYWHERE | {"code"},
            "credit": _ANYWHERE | {"code"},
            "file": _ANYWHERE | AUDIO,
            "wav": _ANYWHERE | _FILE | _JOB,
            "wav-record-info": _ANYWHERE | {"code"},
            "wav-file": _ANYWHERE | _FILE,
        }.items()
    },
    ("elevenlabs", "music"): _ANYWHERE
    | (AUDIO - {"expired", "identical_takes"})
    | (UNANSWERED - {"accept_then_code"})
    | {"error", "suggestion"},
    ("elevenlabs", "subscription"): _ANYWHERE | {"error"},
    ("openai", "responses"): _ANYWHERE | _WORDS,
    ("openai", "chat"): _ANYWHERE | _WORDS,
    ("openai", "moderations"): _ANYWHERE | {"flagged"},
    **{
        ("spotify", endpoint): _ANYWHERE | {"error", "lacking", "nothing", "html"}
        for endpoint in (
            "token",
            "search",
            "artist",
            "album",
            "track",
            "artist-albums",
            "album-tracks",
            "removed",
        )
    },
    ("distribution", "releases"): _ANYWHERE,
    ("distribution", "streams"): _ANYWHERE | {"html"},
}

#: Provider → what a rule can match, as in `title_contains`.
FIELDS = {
    "suno": ("title", "style", "reference"),
    "kie": ("title", "style", "reference"),
    "elevenlabs": ("prompt",),
    "openai": ("input",),
    "spotify": ("query",),
    "distribution": ("title", "reference"),
}

CALLBACKS = ("duplicate", "missing", "late", "out_of_order", "bad_signature", "racing")
WAV_CALLBACKS = ("duplicate", "missing", "late", "bad_signature")  #: it has one, so there is no order

#: Why the language model stopped in the middle.
INCOMPLETE = ("max_output_tokens", "content_filter")

#: What the moderation of texts knows.
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)

#: ElevenLabs' named errors and the HTTP status of each.
ELEVENLABS_ERRORS = {
    "invalid_api_key": 401,
    "quota_exceeded": 401,
    "bad_prompt": 400,
    "max_character_limit_exceeded": 400,
    "too_many_concurrent_requests": 429,
    "system_busy": 429,
}


#: What apps in Development Mode were answered, by our names; the token's and the look-ups'.
SPOTIFY_ERRORS = (
    "too_fast",
    "quota_exceeded",
    "premium",
    "premium_text",
    "removed",
    "gone",
    "expired_token",
    "invalid_client",
    "invalid_request",
)


def kind_of(do: Deed) -> str:
    """Name a deed for the statistics, as in `callback:late` or `zero_bytes`.

    >>> kind_of({"delay_s": 3, "callback": "late"}), kind_of({"silent": True}), kind_of({"http": 500})
    ('callback:late', 'silent', 'http:500')
    """
    details = ("delay_s", "retry_after", "error_code", "suggestion", "refund")
    name = next((name for name in do if name not in details), next(iter(do)))
    value = do[name]
    return name if value is True or isinstance(value, float) else f"{name}:{value}"
