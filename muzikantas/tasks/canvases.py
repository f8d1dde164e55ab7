"""How stages are put together. Every function here gives a signature and starts nothing.

Tasks are named, not imported: a canvas is data, and the stages that send one may be part of it.
"""

from collections.abc import Sequence

from celery import chain, chord
from celery.canvas import Signature

from muzikantas.celery import app


def turn(cycle_id: int, generation_ids: Sequence[int]) -> "Signature[int]":
    """Make every slot's track, then learn from them: one chord, whose body reads rows and no results."""
    if not generation_ids:
        raise ValueError(f"cycle {cycle_id} has no generations; a chord of none would run its body at once")
    header = [slot(generation_id) for generation_id in generation_ids]
    return chord(header, body(cycle_id).on_error(stage("cycles.hurry", cycle_id)))


def slot(generation_id: int) -> "Signature[int]":
    """Make one slot's track: generate, copy the audio at once, listen."""
    return chain(
        stage("generation.generate", generation_id),
        stage("media.fetch", generation_id),
        stage("listening.listen", generation_id),
    )


def body(cycle_id: int) -> "Signature[int]":
    """Give the stages after the slots."""
    return chain(
        stage("performance.collect", cycle_id),
        stage("learning.learn", cycle_id),
        stage("learning.plan", cycle_id),
        stage("evolution.evolve", cycle_id),
        stage("evolution.adapt_prompts", cycle_id),
        stage("cycles.close", cycle_id),
    )


def stage(name: str, subject_id: int) -> "Signature[int]":
    """Give one task on one row."""
    return app.signature(f"muzikantas.tasks.{name}", args=(subject_id,), immutable=True)
