"""Money without floats: provider credits are integers, currency is integer micros (a millionth of the unit)."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MICROS = 1_000_000


def micros(amount: str | Decimal) -> int:
    """Turn a decimal amount of currency into micros, rounded half up.

    >>> micros("0.003"), micros("12"), micros("-1.0000005")
    (3000, 12000000, -1000001)

    Raises `ValueError` for anything that is not a finite decimal number.
    """
    try:
        value = Decimal(amount) * MICROS
        return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except InvalidOperation:
        raise ValueError(f"{amount!r} is no amount of money; expected a decimal number such as 12.50") from None


def decimal_text(amount_micros: int) -> str:
    """Write micros as a decimal amount with two to six places.

    >>> decimal_text(3000), decimal_text(12_000_000), decimal_text(-1_500_000)
    ('0.003', '12.00', '-1.50')
    """
    text = f"{Decimal(amount_micros) / MICROS:.6f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def tokens_micros(tokens: int, usd_per_million: Decimal) -> int:
    """Price of tokens in micros of a dollar: a price per million tokens is micros a token.

    >>> tokens_micros(1200, Decimal("0.25"))
    300
    """
    return int((tokens * usd_per_million).to_integral_value(rounding=ROUND_HALF_UP))
