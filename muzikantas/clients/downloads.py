"""Downloads of provided audio: resumed when the connection breaks, and checked for being audio at all."""

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from muzikantas.clients.http import CONNECT_S, READ_S
from muzikantas.domain.errors import TransientError, UnusableAudio

#: Ten minutes of 320 kbit/s audio are 24 MB; nothing that a provider makes is larger.
MAX_BYTES = 100 * 1024 * 1024
#: First bytes of what our listener reads: MP3 (with and without tag), WAV, FLAC, Ogg, MP4.
AUDIO_STARTS = {b"ID3": ".mp3", b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg"}


class Broken(Exception):
    """The connection broke in the middle of a file."""


def download(url: str) -> tuple[bytes, str]:
    """Download one file; give its bytes and the suffix of its format.

    Raises
    ------
    TransientError
        It may be there later.
    UnusableAudio
        What is there is not audio: empty, a web page, gone.
    """
    parts = bytearray()
    try:
        _resume(url, parts)
    except Broken as error:
        raise TransientError(f"{url}: the download broke at {len(parts)} bytes") from error
    return bytes(parts), suffix_of(bytes(parts), url)


def suffix_of(data: bytes, where: str) -> str:
    """Tell the format of audio by its first bytes. Raises `UnusableAudio` when it is none."""
    if not data:
        raise UnusableAudio(f"{where}: zero bytes")
    for start, suffix in AUDIO_STARTS.items():
        if data.startswith(start):
            return suffix
    if data[:1] == b"\xff" and data[1] & 0xE0 == 0xE0:
        return ".mp3"
    if data[4:8] == b"ftyp":
        return ".m4a"
    raise UnusableAudio(f"{where}: no audio, it begins with {data[:16]!r}")


@retry(
    retry=retry_if_exception_type(Broken), stop=stop_after_attempt(4), wait=wait_exponential(0.2, max=2), reraise=True
)
def _resume(url: str, parts: bytearray) -> None:
    """Read the file from where `parts` ends."""
    headers = {"Range": f"bytes={len(parts)}-"} if parts else {}
    try:
        with requests.get(url, headers=headers, timeout=(CONNECT_S, READ_S), stream=True) as response:
            if response.status_code in {403, 404, 410}:
                raise UnusableAudio(f"{url}: HTTP {response.status_code}, the link has expired")
            if response.status_code not in {200, 206}:
                raise TransientError(f"{url}: HTTP {response.status_code}")
            if response.status_code == 200:
                parts.clear()
            for chunk in response.iter_content(256 * 1024):
                parts += chunk
                if len(parts) > MAX_BYTES:
                    raise UnusableAudio(f"{url}: longer than {MAX_BYTES} bytes")
            expected = response.headers.get("Content-Length")
            if response.status_code == 200 and expected and len(parts) < int(expected):
                raise Broken(url)
    except requests.exceptions.RequestException as error:
        raise Broken(url) from error
