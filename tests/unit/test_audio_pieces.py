"""A file looked through in parts, and parts of files read as one."""

import io
import re

import numpy as np
import pytest

from muzikantas.analysis.audio import pieces
from muzikantas.analysis.audio.pieces import Part, Scan, spliced

DATA = np.random.default_rng(0).bytes(5000)


@pytest.mark.parametrize("held", [64, 1000, 1 << 20])
def test_a_pattern_is_found_at_every_place_also_across_what_is_held(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "HELD", held)
    pattern = re.compile(rb"abc")
    for place in (0, 1, 61, 62, 63, 64, 65, 998, 999, 1000, 4997):
        data = DATA[:place] + b"abc" + DATA[place + 3 :]
        scan = Scan(io.BytesIO(data))
        assert scan.find(pattern, 0) == place
        assert scan.find(pattern, place + 1) is None
        assert scan.bytes_at(place, 3) == b"abc"
        assert scan.size == 5000
    assert scan.bytes_at(4999, 4) == data[-1:]


def test_parts_are_read_as_one_file_from_any_place() -> None:
    one, other = io.BytesIO(DATA), io.BytesIO(DATA[::-1])
    parts = [Part(file=one, start=10, size=700), Part(file=other, start=0, size=5), Part(file=one, start=0, size=4000)]
    whole = DATA[10:710] + DATA[::-1][:5] + DATA[:4000]
    joined = spliced(parts)
    assert joined.read() == whole
    assert joined.seek(0, io.SEEK_END) == len(whole)
    for place in (0, 699, 700, 704, 705, 3000):
        joined.seek(place)
        assert joined.read(10) == whole[place : place + 10]
        assert joined.tell() == place + 10


def test_a_file_that_shrinks_meanwhile_ends_early() -> None:
    joined = spliced([Part(file=io.BytesIO(DATA[:100]), start=50, size=100)])
    assert joined.read() == DATA[50:100]
