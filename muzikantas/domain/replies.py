"""What an LLM is asked to reply with. Untrusted until a bound of ours has passed it."""

from pydantic import BaseModel, ConfigDict


class Reply(BaseModel):
    """Base of structured replies: every field required, nothing extra (the strict form of a JSON schema)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SlotText(Reply):
    """The words of one slot."""

    title: str
    lyrics: str | None


class BriefTexts(Reply):
    """The words of a cycle's slots, in the order of the slots."""

    slots: list[SlotText]


class Trait(Reply):
    """One trait of the personality, 0 to 1."""

    name: str
    value: float


class EvolvedPersona(Reply):
    """The next version of a persona."""

    persona: str
    traits: list[Trait]
    chapter: str
    reason: str


class AdaptedPrompts(Reply):
    """The next version of the prompt template."""

    style_template: str
    negative_tags: str
    reason: str
