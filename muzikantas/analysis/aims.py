"""Where an artist should aim: country, genre and language, with the numbers that say so and how sure they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from muzikantas.analysis.countries import DRAWS, INTERVAL
from muzikantas.analysis.trajectories import Array

#: Languages that charts of a country are sung in, most common first (ISO 639-1); a country that is not here has none.
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "AR": ("es",), "AT": ("de",), "AU": ("en",), "BE": ("nl", "fr"), "BG": ("bg",), "BO": ("es",), "BR": ("pt",),
    "CA": ("en", "fr"), "CH": ("de", "fr"), "CL": ("es",), "CO": ("es",), "CR": ("es",), "CZ": ("cs",), "DE": ("de",),
    "DK": ("da",), "DO": ("es",), "EC": ("es",), "EE": ("et",), "EG": ("ar",), "ES": ("es",), "FI": ("fi",),
    "FR": ("fr",), "GB": ("en",), "GR": ("el",), "GT": ("es",), "HK": ("yue",), "HN": ("es",), "HU": ("hu",),
    "ID": ("id",), "IE": ("en",), "IL": ("he",), "IN": ("hi",), "IS": ("is",), "IT": ("it",), "JP": ("ja",),
    "KR": ("ko",), "LT": ("lt",), "LV": ("lv",), "MA": ("ar",), "MX": ("es",), "MY": ("ms",), "NG": ("en",),
    "NI": ("es",), "NL": ("nl",), "NO": ("no",), "NZ": ("en",), "PA": ("es",), "PE": ("es",), "PH": ("tl", "en"),
    "PK": ("ur",), "PL": ("pl",), "PT": ("pt",), "PY": ("es",), "RO": ("ro",), "SA": ("ar",), "SE": ("sv",),
    "SG": ("en",), "SK": ("sk",), "SV": ("es",), "TH": ("th",), "TR": ("tr",), "TW": ("zh",), "UA": ("uk",),
    "US": ("en",), "UY": ("es",), "VE": ("es",), "VN": ("vi",), "ZA": ("en",),
}  # fmt: skip
#: From this share of local artists on, surely, a country is sung to in its own language.
LOCAL = 0.5


@dataclass(frozen=True, kw_only=True)
class Aim:
    """One country and genre for an artist.

    Parameters
    ----------
    opening, low, high
        Share of the country's places that a month is expected to give to new tracks of the genre, and its 95 %
        interval: share of demand, times growth, times turnover.
    chance_best
        Probability that this is the widest opening of all that were compared.
    language
        The language to lean to, as ISO 639-1; None where nothing speaks for one.
    reason
        The same in words, with the numbers.
    """

    country: str
    genre: str
    opening: float
    low: float
    high: float
    chance_best: float
    language: str | None
    reason: str


def aim(
    profiles: Mapping[str, Mapping[str, Any]], genres: Sequence[str], language: str, rng: np.random.Generator
) -> list[Aim]:
    """Rank countries and genres for an artist of these genres and this language, widest opening first.

    Countries whose profile does not name the genre, or does not know its turnover, are left out: nothing speaks for or
    against them. Growth that is not known counts as none.
    """
    wanted = {genre.casefold(): genre for genre in genres}
    found = [
        (country, genre, numbers)
        for country, profile in sorted(profiles.items())
        if profile["turnover"]["share"] is not None
        for genre, numbers in profile["genres"].items()
        if genre.casefold() in wanted
    ]
    if not found:
        return []
    draws = np.array([_opening(profiles[country], numbers, rng) for country, _, numbers in found])
    best = np.bincount(draws.argmax(axis=0), minlength=len(found)) / DRAWS
    aims = [
        _aim(profiles[country], country, genre, numbers, language, draws[k], float(best[k]))
        for k, (country, genre, numbers) in enumerate(found)
    ]
    return sorted(aims, key=lambda each: -each.opening)


def _opening(profile: Mapping[str, Any], numbers: Mapping[str, Any], rng: np.random.Generator) -> Array:
    growth = _drawn(numbers["growth"], rng) if numbers["growth"] else np.ones(DRAWS)
    opening: Array = _drawn(numbers, rng) * growth * _drawn(profile["turnover"], rng)
    return opening


def _drawn(found: Mapping[str, Any], rng: np.random.Generator) -> Array:
    """Draw from a positive number by its interval, on a logarithmic scale."""
    low, high = (max(float(found[end]), 1e-5) for end in ("low", "high"))
    middle = np.log(max(float(found["share"]), 1e-5))
    draws: Array = np.exp(middle + rng.normal(0, 1, DRAWS) * np.log(max(high / low, 1.0)) / (2 * 1.96))
    return draws


def _aim(
    profile: Mapping[str, Any],
    country: str,
    genre: str,
    numbers: Mapping[str, Any],
    language: str,
    draws: Array,
    best: float,
) -> Aim:
    low, high = np.quantile(draws, INTERVAL)
    tongue, why = _language(profile["local"], country, language)
    growth = numbers["growth"]
    grows = "growth not known yet" if growth is None else f"times {_range(growth, '.2f')} in 28 days"
    reason = (
        f"{genre} has {_range(numbers, '.0%')} of demand in {country}, {grows}; a week refills "
        f"{_range(profile['turnover'], '.0%')} of the places; {why}"
    )
    return Aim(
        country=country,
        genre=genre,
        opening=round(float(np.median(draws)), 5),
        low=round(float(low), 5),
        high=round(float(high), 5),
        chance_best=round(best, 3),
        language=tongue,
        reason=reason,
    )


def _range(found: Mapping[str, Any], form: str) -> str:
    return f"{found['share']:{form}} ({found['low']:{form}} to {found['high']:{form}})"


def _language(local: Mapping[str, Any], country: str, language: str) -> tuple[str | None, str]:
    """Say which language to lean to: the artist's own where it is sung, the country's where locals rule."""
    spoken = LANGUAGES.get(country, ())
    if language in spoken:
        return language, f"{language} is sung there"
    if local["share"] is None:
        return None, "how many artists are local is not known"
    if spoken and local["low"] > LOCAL:
        return spoken[0], f"{_range(local, '.0%')} of demand is for local artists: lean to {spoken[0]}"
    return language, f"{_range(local, '.0%')} of demand is for local artists: nothing speaks against {language}"
