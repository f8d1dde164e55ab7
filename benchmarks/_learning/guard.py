"""The guard against repeating oneself that peers are lent.

Its form is the product's own; its numbers stand here, so that the peers stay what they are when the policy changes.
"""

from collections.abc import Callable

import numpy as np

from benchmarks._learning.tastes import Array, Indices

#: Log units that an exact repetition loses, the width of "similar", what is left a cycle later, and in other genres.
REPETITION, SIMILAR_WITHIN, FRESH_AGAIN, OTHER_GENRE = 0.5, 0.06, 0.8, 0.3
#: A draw that loses less than this is taken; else the least crowded of a few.
CROWDED, TRIES = 0.15, 4


class Guard:
    """Remembers what was released and chosen, and says what a style would lose; one that is off loses nothing."""

    def __init__(self, genre: Indices, values: Array, age: Array, *, on: bool) -> None:
        self.genre, self.values, self.left = genre, values, FRESH_AGAIN**age
        self.on = on

    def loss(self, genre: Indices, values: Array) -> Array:
        """Log units, shape `(n,)`."""
        if not self.on or not len(self.genre):
            return np.zeros(len(genre))
        distance = np.mean((values[:, None, :] - self.values[None, :, :]) ** 2, axis=2)
        same = np.where(genre[:, None] == self.genre[None, :], 1.0, OTHER_GENRE)
        loss: Array = REPETITION * (same * np.exp(-0.5 * distance / SIMILAR_WITHIN**2)) @ self.left
        return loss

    def took(self, genre: int, values: Array) -> None:
        """Count a choice as released."""
        self.genre, self.values = np.append(self.genre, genre), np.vstack([self.values, values])
        self.left = np.append(self.left, 1.0)

    def pick(self, draw: Callable[[], tuple[int, Array]]) -> tuple[int, Array]:
        """Draw until something is new enough."""
        best, lowest = draw(), np.inf
        for attempt in range(TRIES if self.on else 0):
            drawn = best if attempt == 0 else draw()
            loss = float(self.loss(np.array([drawn[0]]), drawn[1][None, :])[0])
            if loss < lowest:
                best, lowest = drawn, loss
            if loss < CROWDED:
                break
        return best
