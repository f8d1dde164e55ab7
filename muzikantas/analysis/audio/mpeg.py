"""The frames of an MP3 file, told from what is not MP3 in it: tags, holes, garbage, half a frame.

libsndfile's decoder gives up at a kilobyte of garbage and does not begin in mid-frame. Handed the frames alone, it
reads on after the damage. The layout of a frame is that of ISO/IEC 11172-3 and 13818-3.
"""

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from muzikantas.analysis.audio.pieces import Part, Scan, spliced

#: kbit/s by index; 0 (free format) and 15 are no rates that music comes in.
KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
#: Samples a second of MPEG-1 by index; MPEG-2 has half, MPEG-2.5 a quarter of them.
HERTZ = (44100, 48000, 32000)
#: The version's two bits: by how much the rates are divided.
DIVISORS = {3: 1, 2: 2, 0: 4}

#: Third bytes that a frame may have: a rate that exists, in kbit/s and in samples a second.
RATES = bytes(byte for byte in range(256) if byte >> 4 not in {0, 15} and byte >> 2 & 3 != 3)
#: First bytes of a layer III frame of any version, with and without checksum.
SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + re.escape(RATES) + rb"]")
#: So many frames in a row are no accident: two may be, in a megabyte of noise.
CHAIN = 4
#: What all frames of one recording share: version, layer, sample rate.
KIND = 0xFFFE0C00

#: The first frame may be a table without sound: its name, flags, and the number of frames when the first flag is set.
TABLES = (b"Xing", b"Info")
#: Bytes of the first frame that are looked at: a table's count ends 48 bytes from its start.
FIRST = 64
#: The rate of a table that we write, whose frame then has the 120 bytes that decoders expect of one: 64 kbit/s.
TABLE_RATE = {3: 5, 2: 8, 0: 8}


@dataclass(frozen=True, kw_only=True)
class Run:
    """Frames without a gap: bytes `start` to `stop`, the last frame from `last` on."""

    start: int
    last: int
    stop: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Frames:
    """The frames of a file, led by a table that does not announce fewer than there are."""

    file: BinaryIO  #: to read from; what it gives lies in the file that was scanned
    announced: bool  #: whether the file's own table told the length


def frames(file: BinaryIO) -> Frames | None:
    """Give the layer III frames of `file` without anything between them; None when there are none.

    The frame before a gap is left out: garbage may have begun inside it. A decoder believes the table, and guesses
    from the first frame's rate where there is none: it would stop early in a file of changing rate, or in one that
    was put together from several. Such a file gets a table of its own.
    """
    scan = Scan(file)
    runs = _runs(scan)
    if not runs:
        return None
    ends = [run.last for run in runs[:-1]] + [runs[-1].stop]
    parts = [Part(file=file, start=run.start, size=end - run.start) for run, end in zip(runs, ends, strict=True)]
    count = sum(run.count for run in runs) - (len(runs) - 1)
    first = scan.bytes_at(runs[0].start, FIRST)
    announced = _announced(first)
    if announced is not None and announced >= count - 1:
        return Frames(file=spliced(parts), announced=True)
    table = _table(first, count)
    lead = Part(file=io.BytesIO(table), start=0, size=len(table))
    return Frames(file=spliced([lead, *parts]), announced=False)


def _announced(sound: bytes) -> int | None:
    """Read the number of frames from the table in the first frame; None without one."""
    at = 4 + _side_bytes(int.from_bytes(sound[:4], "big"))
    has_count = len(sound) >= at + 12 and sound[at : at + 4] in TABLES and sound[at + 7] & 1
    return int.from_bytes(sound[at + 8 : at + 12], "big") if has_count else None


def _table(sound: bytes, count: int) -> bytes:
    """Write a frame like the first one of `sound`, without sound, that announces `count` frames."""
    header = int.from_bytes(sound[:4], "big")
    # No checksum, no padding, and the rate of a table; all else is the first frame's.
    header = header & ~0xF200 | 0x10000 | TABLE_RATE[header >> 19 & 3] << 12
    head = header.to_bytes(4, "big")
    frame = head + bytes(_side_bytes(header)) + TABLES[1] + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return frame.ljust(_length(head, header & KIND), b"\0")


def _side_bytes(header: int) -> int:
    """Bytes of side information after a frame's header: by version, and by whether it is mono."""
    mono = header >> 6 & 3 == 3
    if header >> 19 & 3 == 3:
        return 17 if mono else 32
    return 9 if mono else 17


def _runs(scan: Scan) -> list[Run]:
    """Find all runs of frames of the kind that the first run has."""
    runs: list[Run] = []
    kind = None
    at = 0
    while (found := scan.find(SYNC, at)) is not None:
        header = int.from_bytes(scan.bytes_at(found, 4), "big")
        run = _run(scan, found, header & KIND) if kind in {None, header & KIND} else None
        if run is None:
            at = found + 1
            continue
        kind = header & KIND
        runs.append(run)
        at = run.stop
    return runs


def _run(scan: Scan, start: int, kind: int) -> Run | None:
    """Follow the frames from `start` on; None when they are fewer than `CHAIN` and do not end with the file."""
    last = at = start
    count = 0
    while length := _length(scan.bytes_at(at, 4), kind):
        if at + length > scan.size:
            break
        last, at, count = at, at + length, count + 1
    long_enough = count >= CHAIN or (count > 0 and at == scan.size)
    return Run(start=start, last=last, stop=at, count=count) if long_enough else None


@lru_cache(maxsize=1024)
def _length(head: bytes, kind: int) -> int:
    """Bytes of the frame with this header; 0 when it is none of this kind. A file has few different headers."""
    header = int.from_bytes(head, "big")
    if len(head) < 4 or header & KIND != kind or header >> 21 != 0x7FF:
        return 0
    version, rate, hertz = header >> 19 & 3, header >> 12 & 15, header >> 10 & 3
    if head[2] not in RATES:
        return 0
    kbits, factor = (KBITS_1, 144_000) if version == 3 else (KBITS_2, 72_000)
    return factor * kbits[rate] * DIVISORS[version] // HERTZ[hertz] + (header >> 9 & 1)
