"""Amounts of money as files write them: with a point or a comma, in groups or not, negative in brackets. No floats."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from muzikantas.analysis.songs import short

Mark = Literal[".", ","]

#: Signs and codes of currencies, and the spaces and apostrophes that group digits: they say nothing of the amount.
_DECORATION = re.compile(r"^[A-Z]{3}\b|\b[A-Z]{3}$|[\s'\u2019$\u20ac\u00a3\u00a5]")


def decimal_mark(texts: Iterable[str]) -> Mark | None:
    """Tell which mark a column of amounts has before its decimals; None where every amount could be read both ways.

    A mark that stands twice groups digits; of two marks the last one is decimal; and a group has three digits and
    follows no lone zero.

    >>> decimal_mark(["1.234,50"]), decimal_mark(["0,003"]), decimal_mark(["1,234", "12.5"]), decimal_mark(["1,234"])
    (',', ',', '.', None)

    Raises `ValueError` where some amounts have the one and some the other.
    """
    seen: dict[Mark, str] = {}
    for text in texts:
        if mark := _evident(_bare(text)[1]):
            seen.setdefault(mark, text)
    if len(seen) == 2:
        raise ValueError(f"some amounts have a decimal comma ({seen[',']!r}) and some a decimal point ({seen['.']!r})")
    return next(iter(seen), None)


def amount(text: str, mark: Mark, name: str) -> Decimal:
    """Read an amount with the given decimal mark.

    >>> amount("-1.234,5", ",", "revenue"), amount("(0.0031)", ".", "revenue"), amount("4.2E-05", ".", "revenue")
    (Decimal('-1234.5'), Decimal('-0.0031'), Decimal('0.000042'))

    Raises `ValueError` naming the column `name` for anything else.
    """
    group = re.escape("," if mark == "." else ".")
    negative, bare = _bare(text)
    form = rf"([+-]?)(\d{{1,3}}(?:{group}\d{{3}})+|\d*)(?:{re.escape(mark)}(\d*))?([eE][+-]?\d{{1,2}})?"
    found = re.fullmatch(form, bare)
    if found is None or not (found[2] or found[3]):
        raise ValueError(f"{name} is {short(text)}; expected an amount such as {'0.31' if mark == '.' else '0,31'}")
    sign, whole, decimals, power = found.groups(default="")
    value = Decimal(f"{sign}{re.sub(group, '', whole) or '0'}.{decimals or '0'}{power}")
    return -value if negative else value


def count(text: str, mark: Mark, name: str) -> int:
    """Read a whole number, however grouped. Raises `ValueError` naming the column `name` for anything else.

    >>> count("1,200", ".", "quantity"), count("-3.0", ".", "quantity")
    (1200, -3)
    """
    value = amount(text, mark, name)
    if value != value.to_integral_value() or abs(value) >= 2**63:
        raise ValueError(f"{name} is {short(text)}; expected a whole number")
    return int(value)


def _bare(text: str) -> tuple[bool, str]:
    """Take off what says nothing of the amount; tell whether brackets or a minus behind it made it negative."""
    bare = _DECORATION.sub("", text.strip())
    for form in (r"\((.*)\)", r"(\d.*)-"):
        if found := re.fullmatch(form, bare):
            return True, found[1]
    return False, bare


def _evident(bare: str) -> Mark | None:
    """Tell the decimal mark of an amount that can be read one way only."""
    marks = [c for c in bare if c in ".,"]
    if not marks:
        return None
    last: Mark = "." if marks[-1] == "." else ","
    if len(set(marks)) == 2:
        return last
    if len(marks) > 1:
        return "," if last == "." else "."
    head, _, tail = bare.partition(last)
    grouped = re.fullmatch(r"[+-]?[1-9]\d{0,2}", head) and re.fullmatch(r"\d{3}", tail)
    return None if grouped else last
