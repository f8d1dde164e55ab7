import io
import json
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from muzikantas.local import logs
from muzikantas.local.logs import Lines, Redactor, ServiceLog

SECRET = "s3cret/with ümlaut"


def drained(tmp_path: Path, said: bytes, redactor: Redactor) -> list[dict[str, object]]:
    log = ServiceLog(tmp_path, "child", redactor)
    reading, writing = os.pipe()
    thread = log.read_from(io.FileIO(reading))
    os.write(writing, said)
    os.close(writing)
    thread.join(5)
    return [json.loads(line) for line in log.path.read_text(encoding="utf-8").splitlines()]


def test_plain_line_is_wrapped_and_json_line_passes(tmp_path: Path) -> None:
    plain, given_json = drained(tmp_path, b'ERROR: no room\n{"message": "mine", "n": 1}\n', Redactor())

    assert (plain["level"], plain["process"], plain["message"]) == ("ERROR", "child", "ERROR: no room")
    assert given_json == {"message": "mine", "n": 1}


def test_odd_bytes_and_an_unfinished_last_line_are_kept(tmp_path: Path) -> None:
    entries = drained(tmp_path, b"\xff\x00 odd\n\n{not json}\n[1]\nlast words", Redactor())

    assert [entry["message"] for entry in entries] == ["\\xff\x00 odd", "{not json}", "[1]", "last words"]


def test_secret_is_blotted_out_in_every_escape(tmp_path: Path) -> None:
    said = [
        f"redis://:{SECRET}@host",
        "redis://:s3cret%2Fwith%20%C3%BCmlaut@host",
        json.dumps({"url": f"x{SECRET}x", SECRET: [SECRET]}),
        '{"url": "s3cret\\u002fwith \\u00fcmlaut"}',
    ]

    entries = drained(tmp_path, "\n".join(said).encode(), Redactor([SECRET, ""]))

    assert [entries[0]["message"], entries[1]["message"]] == ["redis://:***@host"] * 2
    assert entries[2:] == [{"url": "x***x", "***": ["***"]}, {"url": "***"}]


def test_secret_added_later_is_blotted_out_from_then_on(tmp_path: Path) -> None:
    redactor = Redactor()
    log = ServiceLog(tmp_path, "child", redactor)
    redactor.add([SECRET])

    log.write(f"the key is {SECRET}")

    assert log.tail() == ["the key is ***"]


@given(before=st.integers(-40, 5), chunk=st.integers(7, 5000))
def test_no_piece_of_a_secret_survives_the_cut_of_a_long_line(before: int, chunk: int) -> None:
    secret = "0123456789abcdefghij"
    said = b"-" * (logs.LONGEST_LINE_BYTES + before) + secret.encode() + b"-" * 9000 + b"\nnext\n"
    redactor = Redactor([secret])
    lines = Lines(redactor)

    texts = [text for start in range(0, len(said), chunk) for text in lines.feed(said[start : start + chunk])]

    long, following = (redactor.clean(text) for text in texts)
    assert following == "next"
    assert "01" not in long.partition("…")[0]
    assert len(long) < logs.LONGEST_LINE_BYTES + 100


def test_full_log_is_moved_aside_once(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path, "child", Redactor())
    log.path.write_bytes(b"x" * logs.ROTATE_BYTES)

    log.write("first line of the new file")

    assert (tmp_path / "child.jsonl.1").stat().st_size == logs.ROTATE_BYTES
    assert "first line" in log.path.read_text()
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_log_that_cannot_be_written_keeps_the_tail(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "missing", "child", Redactor())

    log.write("heard anyway")

    assert log.tail() == ["heard anyway"]
