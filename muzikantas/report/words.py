"""Numbers, dates and findings as a reader wants them."""

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from muzikantas.analysis.claims import Effect
from muzikantas.domain.money import MICROS, decimal_text
from muzikantas.report.curve import Curve
from muzikantas.report.view import FindingsView, OtherPolicy, PlanItem

#: Amounts below this many micros are printed to the last place: a language model's call costs a tenth of a cent.
EXACT_BELOW = 100_000
MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


def number(value: int) -> str:
    """Write a whole number with separators.

    >>> number(12345)
    '12,345'
    """
    return f"{value:,}"


def signed(value: float, places: int = 2) -> str:
    """Write a number with its sign, minus as a minus.

    >>> signed(0.2), signed(-0.001)
    ('+0.20', '0.00')
    """
    rounded = round(value, places)
    return f"{abs(rounded):.{places}f}" if rounded == 0 else f"{rounded:+.{places}f}".replace("-", MINUS)


def factor(log_units: float) -> str:
    """Write a difference of logarithms as a factor: two places below one, none from ten on.

    >>> [factor(math.log(n)).lstrip(TIMES) for n in (2, 0.25, 30)]
    ['2.0', '0.25', '30']
    """
    value = math.exp(log_units)
    return f"{TIMES}{value:.{2 if value < 1 else 1 if value < 10 else 0}f}"


def many(count: int, noun: str) -> str:
    """Write a count with its noun.

    >>> many(1, "track"), many(3, "track")
    ('1 track', '3 tracks')
    """
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def usd(amount_micros: int) -> str:
    """Write millionths of a dollar: small amounts exactly, others in cents.

    >>> usd(7017), usd(12_345_678), usd(0)
    ('$0.007017', '$12.35', '$0.00')
    """
    if abs(amount_micros) < EXACT_BELOW:
        return f"${decimal_text(amount_micros)}"
    return about_usd(amount_micros)


def about_usd(amount_micros: int) -> str:
    """Write millionths of a dollar as a headline does: in cents, or that it is less than one.

    >>> about_usd(7017), about_usd(12_345_678), about_usd(0)
    ('< $0.01', '$12.35', '$0.00')
    """
    if 0 < amount_micros < MICROS // 100:
        return "< $0.01"
    return f"${(Decimal(amount_micros) / MICROS).quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,}"


def amount(value: int, unit: str) -> str:
    """Write an amount of a budget in its unit."""
    return usd(value) if unit == "usd_micros" else number(value)


def day(value: date) -> str:
    """Write a date.

    >>> day(date(2026, 1, 5))
    '5 Jan 2026'
    """
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime) -> str:
    """Write a moment in UTC, to the minute."""
    return f"{day(value)}, {value:%H:%M} UTC"


def clock(seconds: float) -> str:
    """Write a duration.

    >>> clock(23.6), clock(185)
    ('0:24', '3:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def expectation(item: PlanItem) -> str:
    """Say what a plan expects of a style: the usual stream count and the factor that it may be off by."""
    if item.expected is None or item.uncertainty is None:
        return "no expectation"
    streams = number(round(math.expm1(item.expected)))
    return f"expected about {streams} streams, uncertain by a factor of {factor(item.uncertainty).lstrip(TIMES)}"


def learning(curve: Curve) -> str:
    """Say what the learning curve shows and what it does not."""
    if not curve.points:
        return "No release is old enough for an outcome yet, so there is nothing to learn from and nothing to show."
    trend = curve.trend
    so_far = f"{many(curve.tracks, 'track')} in {many(len(curve.points), 'cycle')}"
    if trend is None:
        return f"{so_far} have an outcome. That is too little to tell a trend from luck, so none is drawn."
    moved = (
        f"From cycle {trend.first} to cycle {trend.last} the trend is {signed(trend.change)} log streams a track, a "
        f"factor of {factor(trend.change)} (95 % interval {factor(trend.low)} to {factor(trend.high)})."
    )
    limit = (
        f"{many(curve.tracks, 'track')}: differences below about ±{trend.visible:.2f} log streams "
        f"({factor(trend.visible)}) cannot be seen."
    )
    if trend.low > 0:
        verdict = "The rise is more than the luck of single tracks; a growing market or audience would look the same."
    elif trend.high < 0:
        verdict = "The fall is more than the luck of single tracks; a shrinking market would look the same."
    else:
        verdict = "The interval includes no change at all: this is not evidence of learning, nor against it."
    return f"{moved} {limit} {verdict}"


def claim(effect: Effect) -> str:
    """Give an effect's verdict in words."""
    span = f"{factor(effect.low)} to {factor(effect.high)}"
    direction = "more" if effect.estimate > 0 else "fewer"
    if effect.verdict == "supported":
        later = "" if effect.later is None else f" The later releases alone say {factor(effect.later)}."
        return f"Supported: {direction} streams, {span}.{later}"
    if effect.verdict == "not held":
        later = "there are none yet" if effect.later is None else f"they alone say {factor(effect.later)}"
        return f"Not held: {direction} streams in all, but the later releases do not agree ({later})."
    needed = ""
    if effect.releases_needed is not None:
        needed = f" To claim 20 % takes about {number(effect.releases_needed)} releases like these."
    return f"Not enough data: anything from {span} fits.{needed}"


def other_policy(other: OtherPolicy, days: int) -> str:
    """Say what following the best guess in every slot would have earned."""
    reach = 1.96 * other.error
    low, high = (factor(other.value - other.earned + side * reach) for side in (-1, 1))
    return (
        f"Had every slot followed the best guess and none explored, a release would have had "
        f"{factor(other.value - other.earned)} the streams of its first {days} days (95 % interval {low} to {high}), "
        f"by the chances that the plans logged for {many(other.releases, 'release')}; effective sample size "
        f"{other.effective:.0f}."
    )


def certainty(findings: FindingsView) -> str:
    """Say how far the findings carry, and how many releases a claim would take."""
    sure = sum(effect.verdict == "supported" for effect in findings.effects)
    found = f"{sure} of {len(findings.effects)} effects" if sure else f"None of {len(findings.effects)} effects"
    basis = f"{found} can be claimed from {many(findings.releases, 'release')}."
    if findings.releases_needed is None:
        return f"{basis} How many releases a claim would need cannot be told before their spread is known."
    needed = (
        f"To see a style that brings 20 % more streams takes about {number(findings.releases_needed)} releases, "
        "half with it and half without."
    )
    if findings.releases < findings.releases_needed:
        needed += " A few dozen tracks prove little: plans follow what is likely, this page claims only what is shown."
    return f"{basis} {needed}"
