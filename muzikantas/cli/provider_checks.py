"""What `doctor` says of the providers: which are real, which are the sandbox, which have no key. It calls none."""

from urllib.parse import urlsplit

from muzikantas.cli.checks import FAIL, OK, WARN, Finding
from muzikantas.clients.generators import GENERATORS
from muzikantas.local.stack import SANDBOX_KEY
from muzikantas.settings import LOOPBACK, MUSIC, settings
from muzikantas.studio import studio

UNSET = "has no key"
BY_UP = "or let `muzikantas up` run the sandbox in its place"


def providers() -> list[Finding]:
    """Look at music, language model and distribution."""
    return [*_music(), *_language(), _distribution()]


def _music() -> list[Finding]:
    """Look at every music provider that requests go to."""
    return [finding for name in settings().music_providers for finding in _music_provider(name)]


def _music_provider(name: str) -> list[Finding]:
    now, group = settings().music(name), MUSIC[name].upper()
    url = now.base_url or GENERATORS[name].base_url
    if not now.keys:
        return [Finding("music", FAIL, f"{name}: {_host(url)} {UNSET}", f"Set {group}_API_KEY, {BY_UP}.")]
    facts = studio().music(name).facts
    several = f", {len(now.keys)} accounts" if len(now.keys) > 1 else ""
    said = f"{_kind(url, now.keys[0])}{several}, model {facts.default_model}, {facts.credits_per_request} credits"
    found = [Finding("music", OK, f"{name}: {said} a request")]
    if facts.default_model not in facts.models:
        advice = f"Known are {', '.join(facts.models)}; correct {group}_MODEL if it is a typing error."
        found.append(Finding("music", WARN, f"{name}: model {facts.default_model} is none that is documented", advice))
    if now.plan == type(now).model_fields["plan"].default:
        advice = f"Set {group}_PLAN and {group}_TERMS: every track's rights receipt names them."
        found.append(Finding("music", WARN, f"{name}: under which plan its tracks are made is not recorded", advice))
    return found


def _language() -> list[Finding]:
    now = settings()
    if not now.openai_api_key.get_secret_value():
        return [Finding("language", FAIL, f"{_host(now.openai_base_url)} {UNSET}", f"Set OPENAI_API_KEY, {BY_UP}.")]
    if not now.openai_models:
        return [Finding("language", FAIL, "no model is named", "Set OPENAI_MODELS, the first choice first.")]
    said = _kind(now.openai_base_url, now.openai_api_key.get_secret_value())
    found = [Finding("language", OK, f"{said}, models {', then '.join(now.openai_models)}")]
    if len(now.openai_models) == 1:
        found.append(Finding("language", WARN, "no model to fall back on", "Name a second one in OPENAI_MODELS."))
    return found


def _distribution() -> Finding:
    now = settings()
    if not now.distribution_base_url:
        said = "none: releases are delivered by hand, reports come by `muzikantas performance import`"
        return Finding("distribution", OK, said)
    return Finding("distribution", OK, _kind(now.distribution_base_url, now.distribution_api_key.get_secret_value()))


def _kind(url: str, key: str) -> str:
    """Tell what a provider is by its address and key."""
    if key == SANDBOX_KEY:
        return f"the sandbox ({_host(url)})"
    return f"{_host(url)} (a server on this machine)" if urlsplit(url).hostname in LOOPBACK else f"{_host(url)} (real)"


def _host(url: str) -> str:
    """Give host and port of a URL, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2] or "(no host)"


def refusals() -> list[Finding]:
    """Look at what Spotify has refused for good; needs a broker that answers."""
    spotify = studio().spotify
    return [
        Finding("spotify", WARN, f"{refusal.what}: {refusal.said}", f"Nobody asks again before {refusal.until}.")
        for refusal in (spotify.refusals.standing() if spotify else [])
    ]
