"""Words for the writer: sentences of music journalism, titles and lyrics from a small seeded grammar.

None of these words is in the vocabulary that the music gateway reads in a style prompt, so that a varied text
never asks for another sound by accident.
"""

import numpy as np

SENTENCES = (
    "Critics hear a songwriter who trusts silence as much as sound.",
    "The chorus arrives late and stays in the room long after.",
    "Every record begins with a line overheard on a night bus.",
    "The arrangements leave space for a voice that never hurries.",
    "Old tape machines and new doubts share the studio.",
    "What began as a bedroom habit has become a small ritual for listeners.",
    "There is a patience here that most debuts never find.",
    "The verses read like letters that were never posted.",
    "Each song closes a door and leaves a window open.",
    "Local radio called it the sound of a city after rain.",
    "The hooks are plain on paper and stubborn in the memory.",
    "Between releases the project rewrites its own rules.",
    "The harmony lines do the talking when the words run out.",
    "It is music made for the last hour of a journey.",
)

#: Short phrases for lists separated by commas, such as style templates.
TOUCHES = (
    "analog texture", "close microphones", "wide stereo room", "tape hiss", "layered harmonies",
    "felt piano", "slow-blooming chorus", "room ambience", "doubled vocals", "vinyl crackle",
)  # fmt: skip

_ADJECTIVES = (
    "Paper", "Silver", "Hollow", "Distant", "Electric", "Golden", "Northern", "Broken", "Velvet", "Salted",
    "Borrowed", "Quiet", "Burning", "Second", "Lonely", "Liquid",
)  # fmt: skip
_NOUNS = (
    "Harbour", "Lantern", "Satellite", "Orchard", "Mirror", "Station", "Feather", "River", "Telephone", "Garden",
    "Shadow", "Engine", "Winter", "Compass", "Signal", "Balcony", "Ember", "Postcard", "Tunnel", "Horizon",
)  # fmt: skip
_VERBS = ("Chasing", "Leaving", "Holding", "Counting", "Breaking", "Painting", "Following", "Losing")
_PATTERNS = ("{a} {n}", "{v} the {n}", "{n} in the {m}", "The {a} {n}", "{a} {n}, {b} {m}", "{v} {a} {n}s", "{n} & {m}")

#: Groups of words that rhyme.
_RHYMES = (
    ("light", "night", "flight", "kite"),
    ("rain", "train", "window pane", "refrain"),
    ("shore", "door", "open floor", "roar"),
    ("fire", "wire", "choir", "desire"),
    ("sea", "memory", "melody", "tree"),
    ("sky", "goodbye", "lullaby", "firefly"),
)
_LINES = (
    "I left your name beside the {word}",
    "We never learned to fear the {word}",
    "And all the streets run into {word}",
    "You hum the part about the {word}",
    "The morning comes to ask for {word}",
    "I keep a little of your {word}",
    "Tell me the truth about the {word}",
    "The city turns its face to {word}",
)


def title(rng: np.random.Generator) -> str:
    """Make up a song title."""
    a, b = rng.choice(_ADJECTIVES, 2, replace=False)
    n, m = rng.choice(_NOUNS, 2, replace=False)
    return str(rng.choice(_PATTERNS)).format(a=a, b=b, n=n, m=m, v=rng.choice(_VERBS))


def lyrics(rng: np.random.Generator) -> str:
    """Write two verses, a chorus that returns, and a bridge, in rhymed pairs."""
    chorus = _stanza(rng)
    parts = (
        ("Verse 1", _stanza(rng)),
        ("Chorus", chorus),
        ("Verse 2", _stanza(rng)),
        ("Chorus", chorus),
        ("Bridge", _couplet(rng)),
        ("Chorus", chorus),
    )
    return "\n\n".join(f"[{name}]\n{text}" for name, text in parts)


def _stanza(rng: np.random.Generator) -> str:
    return f"{_couplet(rng)}\n{_couplet(rng)}"


def _couplet(rng: np.random.Generator) -> str:
    words = rng.choice(_RHYMES[int(rng.integers(len(_RHYMES)))], 2, replace=False)
    lines = rng.choice(_LINES, 2, replace=False)
    return "\n".join(str(line).format(word=word) for line, word in zip(lines, words, strict=True))
