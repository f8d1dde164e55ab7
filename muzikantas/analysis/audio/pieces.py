"""A file looked through, and parts of files read as one, without the whole of it in memory."""

import io
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

#: Bytes that a scan holds, and that are read ahead: decoders ask for a few at a time.
HELD, AHEAD = 1 << 20, 1 << 16


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some bytes of a file."""

    file: BinaryIO
    start: int
    size: int


class Scan:
    """The bytes of a file by their place, of which the last megabyte asked for is held."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._from, self._held = file, 0, b""
        self.size = file.seek(0, io.SEEK_END)  #: in bytes

    def bytes_at(self, at: int, count: int) -> bytes:
        """Give `count` bytes from place `at` on; fewer at the end."""
        start = at - self._from
        if start < 0 or start + count > len(self._held):
            self._hold(at)
            start = 0
        return self._held[start : start + count]

    def find(self, pattern: re.Pattern[bytes], at: int) -> int | None:
        """Give the first place from `at` on where `pattern`, of at most four bytes, begins; None when there is none."""
        while at < self.size:
            if not self._from <= at < self._from + len(self._held):
                self._hold(at)
            found = pattern.search(self._held, at - self._from)
            if found is not None:
                return self._from + found.start()
            stop = self._from + len(self._held)
            # A match may lie across the border.
            at = stop if stop >= self.size else max(at + 1, stop - 3)
            self._hold(at)
        return None

    def _hold(self, at: int) -> None:
        self._file.seek(at)
        self._from, self._held = at, self._file.read(HELD)


def spliced(parts: Sequence[Part]) -> BinaryIO:
    """Give parts of files, to be read as one file that has nothing else."""
    return io.BufferedReader(_Spliced(parts), AHEAD)


class _Spliced(io.RawIOBase):
    """What `spliced` reads ahead from."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._stops = list(accumulate(part.size for part in parts))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stops[-1]}[whence])
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the wider type has no slices
        view, filled = memoryview(buffer).cast("B"), 0
        while filled < len(view) and self._at < self._stops[-1]:
            number = bisect_right(self._stops, self._at)
            part, left = self._parts[number], self._stops[number] - self._at
            part.file.seek(part.start + part.size - left)
            read = part.file.read(min(left, len(view) - filled))
            if not read:
                break
            view[filled : filled + len(read)] = read
            filled += len(read)
            self._at += len(read)
        return filled
