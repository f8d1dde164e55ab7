"""Which words of a text are new and which are gone."""

import difflib
import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Piece:
    """A stretch of text that both versions have, or only one of them."""

    kind: Literal["same", "new", "gone"]
    text: str


def word_diff(before: str, now: str) -> tuple[Piece, ...]:
    """Mark what changed, word by word; spaces and line ends are those of `now`, where it has the word.

    >>> [(piece.kind, piece.text) for piece in word_diff("night music", "late night music")]
    [('new', 'late '), ('same', 'night music')]
    """
    old, new = _words(before), _words(now)
    matcher = difflib.SequenceMatcher(None, [w.strip() for w in old], [w.strip() for w in new], autojunk=False)
    pieces = []
    for tag, i, j, k, m in matcher.get_opcodes():
        gone, came = "".join(old[i:j]), "".join(new[k:m])
        if tag == "equal":
            pieces.append(Piece("same", came))
            continue
        pieces += [Piece("gone", gone)] * bool(gone) + [Piece("new", came)] * bool(came)
    return tuple(pieces)


def _words(text: str) -> list[str]:
    """Split into words and punctuation, each with the spaces after it, so that joining gives the text back."""
    return re.findall(r"\w+\s*|[^\w\s]+\s*|\s+", text)


def shortened(pieces: tuple[Piece, ...], *, around: int) -> tuple[Piece, ...]:
    """Leave out what did not change, but for `around` characters beside each change.

    >>> shortened((Piece("same", "a b c d e f"), Piece("new", " g")), around=3)
    (Piece(kind='same', text='… e f'), Piece(kind='new', text=' g'))
    """
    last = len(pieces) - 1
    return tuple(
        Piece("same", _ends(piece.text, around * (k > 0), around * (k < last))) if piece.kind == "same" else piece
        for k, piece in enumerate(pieces)
    )


def _ends(text: str, head: int, tail: int) -> str:
    """Keep so many characters of the head and the tail of a text, to the nearest word."""
    if len(text) <= head + tail + 3:
        return text
    start = text[:head].rpartition(" ")[0] if head else ""
    end = text[len(text) - tail :].lstrip() if tail else ""
    if end and not text[len(text) - tail - 1].isspace() and " " in end:
        end = end.partition(" ")[2]
    return " … ".join((start, end)).strip(" ") if start or end else "…"
