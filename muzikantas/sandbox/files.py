"""Handing out audio, whole or spoilt as the fault script wants it."""

from pathlib import Path

from fastapi import Response
from fastapi.responses import FileResponse, JSONResponse

from muzikantas.sandbox import answers, mp3, recording
from muzikantas.sandbox.deeds import Deed

_MEDIA_TYPES = {".mp3": "audio/mpeg", ".wav": "audio/wav"}

SHORT_S = 2.0  #: far below any song


def spoilt(path: Path, deed: Deed) -> Response | None:
    """Give what comes instead of a file, or None when nothing is wrong with it."""
    if deed.get("html"):
        return answers.web_page()
    data = _spoilt_bytes(path, deed)
    return None if data is None else Response(data, media_type=_MEDIA_TYPES[path.suffix])


def gone(name: str, deed: Deed) -> Response:
    """Answer for a link whose file is not there, or is not there any more."""
    expired = deed.get("expired", 404)
    status = 404 if isinstance(expired, bool) else expired
    return JSONResponse({"error": f"No such file: {name}"}, status_code=status)


def _spoilt_bytes(path: Path, deed: Deed) -> bytes | None:
    if deed.get("zero_bytes"):
        return b""
    if deed.get("silent"):
        whole = sum(1 for _ in mp3.frames(_bare(path.read_bytes()))) - 1
        return recording.silence(round(whole * mp3.FRAME_S))
    if deed.get("short"):
        return mp3.shortened(_bare(path.read_bytes()), SHORT_S)
    if "truncated" in deed:
        data = path.read_bytes()
        return data[: round(deed["truncated"] * len(data))]
    return None


def whole(path: Path) -> Response:
    """Give the file as it is; parts of it may be asked for."""
    return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix])


def _bare(data: bytes) -> bytes:
    """Leave out the label that the jukebox puts in front."""
    if not data.startswith(b"ID3"):
        return data
    size = sum(byte << 7 * place for place, byte in zip((3, 2, 1, 0), data[6:10], strict=True))
    return data[10 + size :]
