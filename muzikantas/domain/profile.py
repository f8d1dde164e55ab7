"""Who an artist is: the persona and its corridor, and how far one evolution may move them."""

import difflib
import string
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from muzikantas.domain.errors import Refused
from muzikantas.domain.style import DIMENSIONS, TEMPO_BPM, Range, StyleSpace, tempo_value

Voice = Literal["instrumental", "female", "male"]

#: What a style template must hold, once each: the words of the asked style are put there.
PLACEHOLDERS = frozenset({"genre", "tempo", "energy", "brightness", "valence", "percussiveness"})
DEFAULT_TEMPLATE = "{genre}, {tempo}, {energy}, {brightness}, {valence}, {percussiveness}"

#: How far one evolution may move a trait of the personality.
TRAIT_STEP = 0.15
#: Least share of the old persona's text that a new one keeps (difflib ratio): an artist evolves, it is not replaced.
PERSONA_KEPT = 0.4
PERSONA_CHARS = 1500
BACKSTORY_CHARS = 4000
TEMPLATE_CHARS = 400
#: Narrower than this a corridor leaves nothing to choose.
CORRIDOR_WIDTH = 0.05


class Value(BaseModel):
    """Base of frozen values that are checked when made."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bounds(Value):
    """The corridor of one genre: the allowed range of each dimension; `tempo_bpm` in bpm, the others in [0, 1]."""

    tempo_bpm: Range = TEMPO_BPM
    energy: Range = (0.0, 1.0)
    brightness: Range = (0.0, 1.0)
    valence: Range = (0.0, 1.0)
    percussiveness: Range = (0.0, 1.0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name, (low, high) in self:
            least, most = TEMPO_BPM if name == "tempo_bpm" else (0.0, 1.0)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} is [{low:g}, {high:g}]; expected low <= high, both from {least:g} to {most:g}"
                )
        for dimension, (low, high) in zip(DIMENSIONS, self.ranges(), strict=True):
            if high - low < CORRIDOR_WIDTH:
                raise ValueError(f"{dimension} leaves no room ({low:.2f} to {high:.2f} of its scale); widen it")
        return self

    def ranges(self) -> tuple[Range, ...]:
        """Give the corridor in the order of `DIMENSIONS`, every dimension scaled to [0, 1]."""
        slow, fast = self.tempo_bpm
        tempo = (tempo_value(slow), tempo_value(fast))
        return (tempo, self.energy, self.brightness, self.valence, self.percussiveness)


class Profile(Value):
    """One version of an artist. The corridor belongs to the operator: no evolution moves it."""

    persona: str = Field(min_length=20, max_length=PERSONA_CHARS)
    backstory: str = Field(default="", max_length=BACKSTORY_CHARS)
    personality: Mapping[str, float] = Field(default_factory=dict)
    corridor: Mapping[str, Bounds] = Field(min_length=1)
    voice: Voice = "instrumental"
    style_template: str = DEFAULT_TEMPLATE
    negative_tags: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for trait, value in self.personality.items():
            if not 0 <= value <= 1:
                raise ValueError(f"personality.{trait} is {value:g}; expected 0 to 1")
        check_template(self.style_template)
        return self

    def space(self) -> StyleSpace:
        """Give the style space that this artist may move in."""
        return StyleSpace(
            genres=tuple(sorted(self.corridor)),
            dimensions=DIMENSIONS,
            corridor={genre: bounds.ranges() for genre, bounds in self.corridor.items()},
        )

    def evolved(self, *, persona: str, personality: Mapping[str, float], chapter: str) -> "Profile":
        """Give the next version of the persona, or raise `Refused` naming the bound that it breaks."""
        if not persona.strip():
            raise Refused("the new persona is empty")
        kept = difflib.SequenceMatcher(None, self.persona, persona, autojunk=False).ratio()
        if kept < PERSONA_KEPT:
            raise Refused(f"the new persona keeps {kept:.0%} of the old text; at least {PERSONA_KEPT:.0%} must stay")
        if personality.keys() != self.personality.keys():
            changed = sorted(personality.keys() ^ self.personality.keys())
            raise Refused(f"traits appeared or vanished: {', '.join(changed)}")
        for trait, value in personality.items():
            step = value - self.personality[trait]
            if abs(step) > TRAIT_STEP + 1e-9:
                raise Refused(f"{trait} moves by {step:+.2f}; at most {TRAIT_STEP} a version")
        backstory = "\n\n".join(part for part in (self.backstory, chapter.strip()) if part)
        return self._replaced(persona=persona.strip(), personality=dict(personality), backstory=backstory)

    def adapted(self, *, style_template: str, negative_tags: str) -> "Profile":
        """Give the version with another prompt template, or raise `Refused`."""
        return self._replaced(style_template=style_template.strip(), negative_tags=negative_tags.strip())

    def _replaced(self, **changes: object) -> "Profile":
        try:
            return Profile.model_validate({**self.model_dump(), **changes})
        except ValueError as error:  # pydantic's own error is one
            reasons = [str(e["msg"]) for e in getattr(error, "errors", list)()] or [str(error)]
            raise Refused("; ".join(reasons)) from None


def check_template(template: str) -> None:
    """Raise `ValueError` unless the template holds each placeholder once, nothing else, and stays short."""
    if len(template) > TEMPLATE_CHARS:
        raise ValueError(f"the style template has {len(template)} characters; at most {TEMPLATE_CHARS}")
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(template)]
    except ValueError as error:
        raise ValueError(f"the style template does not parse: {error}") from None
    names = [name for name, _, _ in fields if name is not None]
    if sorted(names) != sorted(PLACEHOLDERS) or any(spec or conversion for _, spec, conversion in fields):
        raise ValueError(
            f"the style template holds {{{'}, {'.join(names)}}}; expected each of "
            f"{{{'}, {'.join(sorted(PLACEHOLDERS))}}} once"
        )
