"""A forest of random trees that keeps what its leaves have seen: for each case a whole distribution, not one number.

Extremely randomised trees (Geurts, Ernst, Wehenkel, Machine Learning 63, 2006) whose leaves hold histograms, read as
quantile regression forests (Meinshausen, JMLR 7, 2006). Several targets share a tree: their spreads are summed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

#: Fewest cases in a leaf, and splits that are tried at a node. Judged on the past of charts of three countries, each
#: also with the others' cases alone: 20 to 80 cases and 6 to 12 tries differ by less than one part in fifty.
LEAST, TRIES = 25, 9


@dataclass(frozen=True, kw_only=True, eq=False)
class Cases:
    """What a forest learns from.

    Parameters
    ----------
    features
        Shape `(n, d)`, finite.
    targets
        Whole numbers from 0, shape `(n, k)`.
    weights
        How much each case counts, shape `(n,)`.
    folds
        The part of the past that a case is of, shape `(n,)`, counted from 0; -1 is of no part.
    """

    features: Array
    targets: Numbers
    weights: Array
    folds: Numbers


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree: node `i` asks whether `feature[i]` is at most `threshold[i]`; a leaf is its own child.

    `leaf[i]` is the row of the node's histogram, one matrix of shape `(leaves, sizes[k])` a target.
    """

    feature: Numbers
    threshold: Array
    children: Numbers
    leaf: Numbers
    histograms: tuple[npt.NDArray[np.float32], ...]

    def find(self, features: Array) -> Numbers:
        """Give the leaf that each case (shape `(n, d)`) falls into."""
        at = np.zeros(len(features), dtype=np.int64)
        moving = np.arange(len(features))
        while len(moving):
            here = at[moving]
            right = features[moving, self.feature[here]] > self.threshold[here]
            at[moving] = self.children[here, right.astype(np.int64)]
            moving = moving[at[moving] != here]
        return self.leaf[at]


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees in groups: group `f` has seen no case of fold `f`, so that the fold can judge it."""

    groups: tuple[tuple[Tree, ...], ...]

    def distributions(self, features: Array, *, unseen: int | None = None) -> list[Array]:
        """Give each target's distribution for each case, shapes `(n, sizes[k])`.

        `unseen` names a fold: only the trees speak that have not seen it.
        """
        groups = self.groups if unseen is None else (self.groups[unseen],)
        trees = [tree for group in groups for tree in group]
        sums = [np.zeros((len(features), histogram.shape[1])) for histogram in trees[0].histograms]
        for tree in trees:
            leaves = tree.find(features)
            sums = [total + histogram[leaves] for total, histogram in zip(sums, tree.histograms, strict=True)]
        return [total / len(trees) for total in sums]


def grow(
    cases: Cases, sizes: Sequence[int], rng: np.random.Generator, *, trees: int, most_cases: int | None = None
) -> Forest:
    """Grow `trees` trees, shared out over the folds; target `k` takes values below `sizes[k]`.

    Each tree sees a random half of the cases that it may see, at most `most_cases`: trees differ, and time is bounded.
    """
    folds = int(cases.folds.max(initial=0)) + 1
    scale = cases.targets.std(axis=0)
    scaled = cases.targets / np.where(scale > 0, scale, 1.0)
    groups = []
    for fold in range(folds):
        usable = np.flatnonzero(cases.folds != fold) if folds > 1 else np.arange(len(cases.folds))
        share = min(len(usable) // 2 + 1, most_cases or len(usable))
        count = trees // folds + (fold < trees % folds)
        chosen = [rng.choice(usable, size=share, replace=False) for _ in range(max(count, 1))]
        groups.append(tuple(_tree(cases, scaled, rows, sizes, rng) for rows in chosen))
    return Forest(tuple(groups))


def _tree(cases: Cases, scaled: Array, rows: Numbers, sizes: Sequence[int], rng: np.random.Generator) -> Tree:
    features, weights = cases.features[rows], cases.weights[rows]
    summed = np.column_stack([weights, scaled[rows] * weights[:, None]])
    asked: list[int] = []
    thresholds: list[float] = []
    children: list[tuple[int, int]] = []
    members: dict[int, Numbers] = {}
    waiting = [(np.arange(len(rows)), -1, 0)]
    while waiting:
        inside, parent, side = waiting.pop()
        node = len(asked)
        if parent >= 0:
            children[parent] = (node, children[parent][1]) if side == 0 else (children[parent][0], node)
        split = _split(features, summed, inside, rng)
        if split is None:
            asked.append(0)
            thresholds.append(0.0)
            children.append((node, node))
            members[node] = inside
            continue
        feature, threshold, left = split
        asked.append(feature)
        thresholds.append(threshold)
        children.append((node, node))
        waiting += [(inside[~left], node, 1), (inside[left], node, 0)]
    leaf = np.zeros(len(asked), dtype=np.int64)
    leaf[list(members)] = np.arange(len(members))
    place = np.empty(len(rows), dtype=np.int64)
    for number, inside in enumerate(members.values()):
        place[inside] = number
    histograms = tuple(
        _histogram(place, cases.targets[rows, k], weights, (len(members), size)) for k, size in enumerate(sizes)
    )
    return Tree(np.array(asked), np.array(thresholds), np.array(children), leaf, histograms)


def _split(
    features: Array, summed: Array, inside: Numbers, rng: np.random.Generator
) -> tuple[int, float, npt.NDArray[np.bool_]] | None:
    """Draw some features with a threshold each; give the one that parts the targets best, None for a leaf."""
    if len(inside) < 2 * LEAST:
        return None
    tried = rng.integers(0, features.shape[1], TRIES)
    values = features[inside[:, None], tried]
    low, high = values.min(axis=0), values.max(axis=0)
    thresholds = low + (high - low) * rng.random(TRIES)
    left = values <= thresholds
    counts = left.sum(axis=0)
    fair = (counts >= LEAST) & (len(inside) - counts >= LEAST)
    if not fair.any():
        return None
    mine = summed[inside]
    sums = mine.T @ left
    rest = mine.sum(axis=0)[:, None] - sums
    gain = (sums[1:] ** 2).sum(axis=0) / np.maximum(sums[0], 1e-9)
    gain += (rest[1:] ** 2).sum(axis=0) / np.maximum(rest[0], 1e-9)
    best = int(np.argmax(np.where(fair, gain, -np.inf)))
    return int(tried[best]), float(thresholds[best]), left[:, best]


def _histogram(place: Numbers, values: Numbers, weights: Array, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    counts = np.bincount(place * shape[1] + values, weights=weights, minlength=shape[0] * shape[1]).reshape(shape)
    shares: npt.NDArray[np.float32] = (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
