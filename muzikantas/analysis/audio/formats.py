"""What a file is, by its first bytes: what we read, and names for what we refuse."""

import io
from typing import BinaryIO, Literal

import soundfile

from muzikantas.analysis.audio import mpeg
from muzikantas.domain.errors import UnusableAudio

#: Containers that libsndfile reads and that music comes in. Its readers of rarer ones are never reached.
READ = {
    b"RIFF": "WAV",
    b"RF64": "WAV",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"FORM": "AIFF",
    b"caff": "CAF",
    b".snd": "AU",
}

#: Begin and name of sound that libsndfile does not decode.
UNREAD = {
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"0&\xb2u": "a Windows Media file",
    b"ADIF": "an AAC file (ADIF)",
    b"\xff\xf0": "an AAC file (ADTS)",
    b"\xff\xf1": "an AAC file (ADTS)",
    b"\xff\xf8": "an AAC file (ADTS)",
    b"\xff\xf9": "an AAC file (ADTS)",
    b"#!AMR": "an AMR file",
}
#: Begin and name of what arrives in place of music.
NO_SOUND = {
    b"MThd": "a MIDI file (notes, not sound)",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x7fELF": "a program",
}
CONVERT, LOOK = "which is not decoded here: convert it to FLAC or MP3", "which is no audio: check its source"
WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml")

#: Larger sizes in a header of 32 bits stand for "not known"; some writers are off by a header.
UNKNOWN_SIZE = 0xFFFFFF00
#: libsndfile's "not known" is the largest number of 63 bits: a FLAC file that was written into a pipe has it.
UNKNOWN_FRAMES = 1 << 62

#: Enough for every signature, and for a look at whether it is text.
HEAD = 512


class Sound(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that is read forwards only.

    soundfile seeks after every read in one that can: for that an MP3 is decoded anew from some frames before, and a
    file of unknown length refuses it at its end.
    """

    def seekable(self) -> bool:
        """Say that it is not."""
        return False


def open_sound(file: BinaryIO) -> tuple[Sound, float | None]:
    """Open a file by what its bytes are, whatever its name; give its length in seconds by its own header, if known.

    Raises `UnusableAudio` when the file is empty, or none that we read.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    if not head:
        raise UnusableAudio("the file has 0 bytes; expected audio: download it again")
    name = container(head)
    # An MP3 has no container: its frames may stand anywhere, but in another format's file they are an accident.
    mp3 = mpeg.frames(file) if name is None and refused(head) is None else None
    file.seek(0)
    if name is None and mp3 is None:
        raise UnusableAudio(refusal(head, size))
    try:
        sound = Sound(mp3.file if mp3 else file)
    except soundfile.LibsndfileError as error:
        found = f"a damaged {name or 'MP3'} file of {size} bytes"
        raise UnusableAudio(f"{found} that cannot be opened ({error.error_string}): download it again") from error
    # Of a FLAC file that was written into a pipe nobody knows the length.
    known = mp3.announced if mp3 else sound.frames < UNKNOWN_FRAMES
    length_s = float(sound.frames / sound.samplerate) if known else None
    # libsndfile has corrected the length of a WAV or AIFF file by the file's size already.
    return sound, length_s and length_s * max(1.0, (_declared_size(head) or 0) / size)


def _declared_size(head: bytes) -> int | None:
    """Bytes that the header of a WAV or AIFF file says the whole file has; None for others, and for streamed ones."""
    orders: dict[bytes, Literal["little", "big"]] = {b"RIFF": "little", b"FORM": "big"}
    order = orders.get(head[:4])
    said = int.from_bytes(head[4:8], order) if order and len(head) >= 8 else 0
    # Who writes into a pipe cannot know the size, and writes none or the largest.
    return said + 8 if 0 < said < UNKNOWN_SIZE else None


def container(head: bytes) -> str | None:
    """Name the container that we read, by a file's first bytes; None for another or none (MP3 has no container)."""
    if head[:4] == b"RIFF" and head[8:12] != b"WAVE":
        return None
    if head[:4] == b"FORM" and head[8:12] not in {b"AIFF", b"AIFC"}:
        return None
    return READ.get(head[:4])


def refused(head: bytes) -> tuple[str, str] | None:
    """Name what the first bytes are of, and why it is refused, when it is known to be nothing that we read."""
    if head[4:8] == b"ftyp":
        return "an MP4 file (M4A: AAC or ALAC)", CONVERT
    if head.lstrip().lower().startswith(WEB_PAGE):
        return "a web page", LOOK
    if head.lstrip()[:1] in {b"{", b"["} and head.isascii():
        return "a JSON text", LOOK
    for names, why in ((UNREAD, CONVERT), (NO_SOUND, LOOK)):
        for start, name in names.items():
            if head.startswith(start):
                return name, why
    return None


def refusal(head: bytes, size: int) -> str:
    """Say what a file is that is not read, and what to do."""
    name, why = refused(head) or (f"a file that begins with {head[:8]!r}", LOOK)
    return f"{name}, {size} bytes, {why}"
