"""What an account's balance tells of paid requests whose end nobody knows. Arithmetic only."""

from collections.abc import Sequence
from typing import Literal

Verdict = Literal["charged", "not charged", "undecided"]


def verdict(before: int, after: int, known_charges: Sequence[int], unknown_prices: Sequence[int]) -> Verdict:
    """Say what became of the unknown requests that were sent between two readings of a balance.

    All of them were charged, or none was. Any other difference is undecided: some were and some were not, the operator
    bought credits or spent them elsewhere, credits came back without a word, or a price is not the true one. What costs
    nothing leaves no trace in a balance.

    Parameters
    ----------
    before, after
        Credits left, each read while no request of the account was on its way.
    known_charges
        Prices of the requests between the readings that were surely charged.
    unknown_prices
        What each request in doubt has cost, if it was charged.

    Examples
    --------
    Two requests were made for 10 credits each, and nobody knows of a third:

    >>> verdict(100, 80, [10, 10], [10]), verdict(100, 70, [10, 10], [10]), verdict(100, 75, [10, 10], [10])
    ('not charged', 'charged', 'undecided')
    """
    if not unknown_prices or min(unknown_prices) <= 0:
        return "undecided"
    unexplained = before - after - sum(known_charges)
    if unexplained == 0:
        return "not charged"
    return "charged" if unexplained == sum(unknown_prices) else "undecided"
