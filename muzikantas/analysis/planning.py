"""What the next cycle should make: proposals as plan items, and how well was obeyed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from muzikantas.analysis.policy import Observation, Prior, Proposal, propose
from muzikantas.analysis.prompting import words
from muzikantas.domain.style import DIMENSIONS, Style, StyleSpace


def choose(
    policy: str,
    observations: Sequence[Observation],
    space: StyleSpace,
    count: int,
    *,
    cycle: int,
    seed: int,
    prior: Prior | None = None,
) -> list[Proposal]:
    """Choose `count` styles with the named policy; the same rows and seed give the same choice."""
    if policy == "fixed":
        return fixed(space, count)
    return propose(observations, space, count, cycle=cycle, rng=np.random.default_rng(seed), prior=prior)


def fixed(space: StyleSpace, count: int) -> list[Proposal]:
    """Ask for the middle of the corridor of each genre in turn: the persona that never learns, for comparison."""
    reason = "the policy is fixed: the middle of the corridor, whatever was heard"
    return [
        Proposal(
            style=Style(genre, tuple((low + high) / 2 for low, high in space.ranges(genre))),
            expected=0.0,
            uncertainty=math.inf,
            propensity=1.0,
            reason=reason,
            evidence=(),
        )
        for genre in (space.genres[i % len(space.genres)] for i in range(count))
    ]


def as_item(proposal: Proposal) -> dict[str, Any]:
    """Write a proposal as a plan item: numbers for the machine, words for the prompt, a reason for the operator."""
    return {
        "genre": proposal.style.genre,
        "values": [round(value, 4) for value in proposal.style.values],
        "words": ", ".join(words(proposal.style).values()),
        "expected": _finite(proposal.expected),
        "uncertainty": _finite(proposal.uncertainty),
        "propensity": proposal.propensity,  # exactly: one that explores is small, and its inverse is a weight
        "reason": proposal.reason,
        "evidence": list(proposal.evidence),
    }


def style_of(item: Mapping[str, Any]) -> Style:
    """Read the style of a plan item."""
    return Style(item["genre"], tuple(item["values"]))


def obedience(pairs: Sequence[tuple[Style, Style]]) -> dict[str, Any]:
    """Summarise realised against asked: mean deviation and spread a dimension, in units of the scale."""
    if not pairs:
        return {"tracks": 0}
    gaps = np.array([np.subtract(realised.values, asked.values) for asked, realised in pairs])
    return {
        "tracks": len(pairs),
        "bias": {name: round(float(value), 3) for name, value in zip(DIMENSIONS, gaps.mean(axis=0), strict=True)},
        "spread": {name: round(float(value), 3) for name, value in zip(DIMENSIONS, gaps.std(axis=0), strict=True)},
    }


def _finite(value: float | None) -> float | None:
    return round(value, 4) if value is not None and math.isfinite(value) else None
