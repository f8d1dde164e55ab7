"""Short previews of tracks, small enough to live inside the page."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from muzikantas.analysis import audio
from muzikantas.clients.store import AudioStore
from muzikantas.domain.errors import UnusableAudio

#: Seconds of a preview: about 72 kB as MP3, 96 kB as text in the page.
SECONDS = 12.0
#: Characters of sound in one page: a hundred tracks. Browsers and mail servers balk at much larger files.
MOST_CHARS = 10_000_000


@dataclass(frozen=True)
class Clip:
    """A preview as a `data:` URI, or the reason why there is none."""

    uri: str | None
    missing: str = ""


def cut(store: AudioStore, keys: Iterable[str], *, most_chars: int) -> dict[str, Clip]:
    """Cut a preview of each file, in the order given, until they fill `most_chars` characters."""
    clips: dict[str, Clip] = {}
    chars = 0
    for key in keys:
        clips[key] = _clip(store, key) if chars < most_chars else Clip(None, "left out, to keep this page small")
        chars += len(clips[key].uri or "")
    return clips


def _clip(store: AudioStore, key: str) -> Clip:
    try:
        sound = audio.preview(store.read(key), SECONDS)
    except FileNotFoundError:
        return Clip(None, f"the store no longer holds {key[:12]}…")
    except UnusableAudio as error:
        return Clip(None, str(error))
    return Clip(f"data:audio/mpeg;base64,{base64.b64encode(sound).decode()}")
