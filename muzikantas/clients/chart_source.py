"""Where chart files come from: an operator's drop folder, and an operator's HTTP source."""

import hashlib
import io
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from muzikantas.analysis.chart_dates import Wanted
from muzikantas.clients.http import CONNECT_S, Answer, call_free
from muzikantas.domain.errors import InputError, Refused, TransientError, Unauthorized

#: A week's chart has 25 kB; a position file of a hundred years has 60 MB.
LONGEST_BYTES = 64 * 1024 * 1024
#: Longest silence and longest whole answer: a large file over a slow line, well below a task's time limit.
SILENCE_S, LONGEST_S = 10.0, 30.0
#: Within one host; a source that sends us further in circles is broken.
MOST_REDIRECTS = 2
#: The longest that one reading can take, led on each time at the last moment.
READING_S = (MOST_REDIRECTS + 1) * (CONNECT_S + SILENCE_S + LONGEST_S)
PLACES = ("chart", "country", "period", "date")
#: A file that was changed so shortly before it was read may not have been whole then; clocks may differ so much.
SLACK_S = 600.0


@dataclass(frozen=True, kw_only=True)
class ChartFile:
    """A chart file that is there: its name, which tells the chart, and its lines, to be read once."""

    name: str
    digest: str  #: SHA-256 of what is in it: equal means unchanged
    lines: Iterable[str]


class ChartSource(Protocol):
    """Somebody who has chart files. Reading changes nothing there and may be done again."""

    def read(self, chart: Wanted, day: date) -> ChartFile | None:
        """Give the file that holds a chart's date; None when it is not there yet.

        Raises `TransientError`, `Unauthorized` or `Refused` as the source answers; lines that are no UTF-8 raise
        `InputError` while they are read.
        """
        ...

    def newer(self, chart: Wanted, day: date, since: datetime) -> bool:
        """Whether it can be seen without asking anybody that the file changed after `since` (aware)."""
        ...


@dataclass(frozen=True, kw_only=True)
class ChartPlan:
    """What an installation wants of charts: which ones, from where, and how far back it looks for missing dates."""

    wanted: Sequence[Wanted]
    sources: Sequence[ChartSource]
    window_days: int


class FolderSource:
    """A folder into which an operator, or a program of theirs, puts chart files under their usual names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, chart: Wanted, day: date) -> ChartFile | None:
        """Give the file that holds a date, if it is in the folder. Raises `Refused` when there is no folder."""
        if not self._folder.is_dir():
            raise Refused(f"{self._folder} is no folder; CHARTS_FOLDER names the one where chart files are put")
        path = self._folder / chart.file_name(day)
        if not path.is_file():
            return None
        return ChartFile(name=path.name, digest=_digest(path), lines=lines_of(path))

    def newer(self, chart: Wanted, day: date, since: datetime) -> bool:
        """Whether the file was written, or moved there, after `since` or shortly before."""
        try:
            changed = (self._folder / chart.file_name(day)).stat().st_ctime  # `st_mtime` of a moved file may be old
        except OSError:
            return False
        return changed > since.timestamp() - SLACK_S


class HttpSource:
    """An operator's own server: a URL with places for {chart}, {country}, {period} and {date}."""

    def __init__(self, template: str) -> None:
        self._template = template
        found = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        unknown = [name for name in found if name not in PLACES]
        if unknown or urlsplit(template).scheme not in {"http", "https"}:
            what = f"a place {unknown[0]!r}" if unknown else f"the scheme {urlsplit(template).scheme!r}"
            raise InputError(f"CHARTS_URL has {what}; expected http(s)://… with places {{NAME}} of {', '.join(PLACES)}")

    def read(self, chart: Wanted, day: date) -> ChartFile | None:
        """Ask for a date's file; HTTP 404 and 410 mean that it is not there yet."""
        words = dict(zip(PLACES, (*chart.words, day.isoformat()), strict=True))
        answer = self._get(self._template.format_map(words))
        if answer is None:
            return None
        name = chart.file_name(day)
        try:
            lines = io.StringIO(answer.body.decode("utf-8"), newline="")
        except UnicodeDecodeError as error:
            raise InputError(_no_utf8(name, answer.body, error)) from None
        return ChartFile(name=name, digest=hashlib.sha256(answer.body).hexdigest(), lines=lines)

    def newer(self, chart: Wanted, day: date, since: datetime) -> bool:  # noqa: ARG002 (only asking would tell)
        """Never: the server would have to be asked."""
        return False

    def _get(self, url: str) -> Answer | None:
        """Get a file, led on within the same host only: another one was not named by the operator."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = call_free("GET", url, limit=LONGEST_BYTES, read_s=SILENCE_S, total_s=LONGEST_S)
            if answer.status not in {301, 302, 303, 307, 308}:
                return _checked(answer, url)
            to = urljoin(url, answer.headers.get("location", ""))
            if urlsplit(to)[:2] != urlsplit(url)[:2]:
                raise Refused(f"{url} leads to {urlsplit(to).netloc or 'nowhere'}; name the last address in CHARTS_URL")
            url = to
        raise Refused(f"{url}: more than {MOST_REDIRECTS} redirects")


def _checked(answer: Answer, url: str) -> Answer | None:
    if answer.status < 300:
        return answer
    if answer.status in {404, 410}:
        return None
    text = f"{url}: HTTP {answer.status} {answer.body[:120]!r}"
    if answer.status in {401, 403}:
        raise Unauthorized(text)
    if answer.status in {408, 425, 429} or answer.status >= 500:
        raise TransientError(text, retry_after_s=answer.retry_after_s)
    raise Refused(text)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be read ({error.strerror})")


def lines_of(path: Path) -> Iterator[str]:
    """Read a file of UTF-8 text line by line. Raises `InputError` that names the file and, for bad text, the line."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from file
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError:
        raise InputError(_first_bad_line(path)) from None


def _first_bad_line(path: Path) -> str:
    """Find the line that is no UTF-8: the decoder only knows where it stood in its buffer."""
    before = 0
    with path.open("rb") as file:
        for line in file:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return _no_utf8(str(path), line, error, before)
            before += 1
    return f"{path}: changed while it was read; import it again"


def _no_utf8(name: str, data: bytes, error: UnicodeDecodeError, before: int = 0) -> str:
    line = before + data.count(b"\n", 0, error.start) + 1
    return f"{name} line {line}: byte 0x{data[error.start]:02x} is no UTF-8; save the file as UTF-8"
