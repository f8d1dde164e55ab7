"""The persona's history: what each version changed against the one it came from."""

from collections.abc import Mapping, Sequence

from muzikantas.domain.profile import Bounds, Profile
from muzikantas.models.artist import ArtistProfile
from muzikantas.report.diff import Piece, shortened, word_diff
from muzikantas.report.view import TextChange, TraitChange, VersionView

#: Texts of a profile and their names on the page.
TEXTS = {
    "persona": "Persona",
    "backstory": "Backstory",
    "voice": "Voice",
    "style_template": "Prompt template",
    "negative_tags": "To avoid",
}

#: Characters shown beside a change: a whole persona of the usual length, the neighbourhood in a long backstory.
AROUND = 240


def versions(rows: Sequence[ArtistProfile], plan_cycles: Mapping[int, int]) -> tuple[VersionView, ...]:
    """Describe every version, newest first; `plan_cycles` gives the cycle of each plan's id."""
    by_id = {row.id: row for row in rows}
    return tuple(_version(row, by_id.get(row.parent_id or 0), plan_cycles) for row in reversed(rows))


def _version(row: ArtistProfile, parent: ArtistProfile | None, plan_cycles: Mapping[int, int]) -> VersionView:
    old, new = parent.profile if parent else None, row.profile
    return VersionView(
        version=row.version,
        kind=row.kind,
        parent=parent.version if parent else None,
        plan_cycle=plan_cycles.get(row.plan_id or 0),
        reason=row.reason,
        made_at=row.created_at,
        texts=text_changes(old, new),
        traits=trait_changes(old, new),
    )


def text_changes(old: Profile | None, new: Profile) -> tuple[TextChange, ...]:
    """Give the texts that differ, word by word; of a first version all that it has, as they stand."""
    changes = []
    for field, name in [*TEXTS.items(), ("corridor", "Corridor")]:
        before, now = _text(old, field) if old else "", _text(new, field)
        if before == now:
            continue
        pieces = shortened(word_diff(before, now), around=AROUND) if old else (Piece("same", now),)
        changes.append(TextChange(name=name, pieces=pieces))
    return tuple(changes)


def trait_changes(old: Profile | None, new: Profile) -> tuple[TraitChange, ...]:
    """Give the traits of the personality that differ."""
    before = old.personality if old else {}
    return tuple(
        TraitChange(name=name, before=before.get(name), now=new.personality.get(name))
        for name in sorted({*before, *new.personality})
        if before.get(name) != new.personality.get(name)
    )


def _text(profile: Profile, field: str) -> str:
    if field == "corridor":
        return "\n".join(f"{genre}: {_bounds(bounds)}" for genre, bounds in sorted(profile.corridor.items()))
    return str(getattr(profile, field))


def _bounds(bounds: Bounds) -> str:
    """Write a corridor in one line; a tempo in beats per minute, the others from 0 to 1."""
    return ", ".join(f"{name.replace('_', ' ')} {low:g} to {high:g}" for name, (low, high) in bounds)
