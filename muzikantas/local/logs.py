"""What services say, as JSON lines in one file a service, with the secrets blotted out."""

import json
import os
import re
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

#: A log is renamed to NAME.jsonl.1 at this size, so a service holds at most twice as much of the disk.
ROTATE_BYTES = 20 * 1024 * 1024
#: What is longer is cut: a traceback has a few kilobytes, megabytes in a line are an accident.
LONGEST_LINE_BYTES = 64 * 1024
#: How many last lines an error message quotes.
TAIL_LINES = 12

_LEVELS = re.compile(r"\b(DEBUG|INFO|NOTICE|LOG|WARNING|ERROR|CRITICAL|FATAL|PANIC)\b")
_OUR_LEVELS = {"NOTICE": "INFO", "LOG": "INFO", "FATAL": "CRITICAL", "PANIC": "CRITICAL"}


class Redactor:
    """Replaces secrets by ``***``, also where they were escaped for a URL or for JSON."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Blot out these strings of one line each too, from now on."""
        forms = set(self._forms)
        for secret in filter(None, secrets):
            forms |= {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}
            forms.add(json.dumps(secret, ensure_ascii=False)[1:-1])
        # Longest first: a secret that contains another one disappears whole.
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    @property
    def longest_bytes(self) -> int:
        """Length of the longest secret: how far one may reach over a cut."""
        return max((len(form.encode()) for form in self._forms), default=0)

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def clean_value(self, value: object) -> object:
        """A decoded JSON value without secrets in any of its strings, whatever escapes its writer used."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, list):
            return [self.clean_value(item) for item in value]
        if isinstance(value, dict):
            return {self.clean(key): self.clean_value(item) for key, item in value.items()}
        return value


class ServiceLog:
    """The log file of one service, over all of its restarts.

    Readers of an old and a new process of the service may write at once: a grandchild can hold the old pipe.
    """

    def __init__(self, folder: Path, name: str, redactor: Redactor) -> None:
        self.path = folder / f"{name}.jsonl"
        self._name = name
        self._redactor = redactor
        self._lock = threading.Lock()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def tail(self) -> list[str]:
        """The last messages, oldest first."""
        with self._lock:
            return list(self._tail)

    def read_from(self, pipe: IO[bytes]) -> threading.Thread:
        """Start a thread that writes down every line of `pipe` until its last writer is gone."""
        thread = threading.Thread(target=self._drain, args=(pipe,), name=f"log-{self._name}", daemon=True)
        thread.start()
        return thread

    def write(self, text: str, *, process: str | None = None, level: str | None = None) -> None:
        """Add one line: a JSON object stays one, anything else is wrapped, its level guessed when not given."""
        entry, message = self._entry(self._redactor.clean(text), process or self._name, level)
        with self._lock:
            self._tail.append(message)
            try:
                self._rotate_if_full()
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                with open(descriptor, "a", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no Path
                    file.write(entry + "\n")
            except OSError:
                # A full disk must not block the service on its pipe: the line lives on in the tail only.
                return

    def _entry(self, text: str, process: str, level: str | None) -> tuple[str, str]:
        try:
            parsed = json.loads(text) if text.lstrip().startswith("{") else None
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            cleaned = self._redactor.clean_value(parsed)
            line = text if cleaned == parsed else json.dumps(cleaned)
            return line, line
        if level is None:
            found = _LEVELS.search(text)
            level = _OUR_LEVELS.get(found.group(1), found.group(1)) if found else "INFO"
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        wrapped = {"time": time, "level": level, "process": process, "message": text}
        return json.dumps(wrapped, ensure_ascii=False), text

    def _rotate_if_full(self) -> None:
        if self.path.exists() and self.path.stat().st_size >= ROTATE_BYTES:
            self.path.replace(self.path.with_name(self.path.name + ".1"))

    def _drain(self, pipe: IO[bytes]) -> None:
        lines = Lines(self._redactor)
        with pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                for line in lines.feed(chunk):
                    self.write(line)
        for line in lines.end():
            self.write(line)


class Lines:
    """Cuts a stream of bytes into lines of text of a bounded length, never through the middle of a secret."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = bytearray()
        self._dropped = 0

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes."""
        *complete, rest = chunk.split(b"\n")
        lines = []
        for part in complete:
            self._hold(part)
            lines += self.end()
        self._hold(rest)
        return lines

    def end(self) -> list[str]:
        """The line held so far as a list of one, or nothing when it is empty."""
        text = self._held.decode("utf-8", errors="backslashreplace").rstrip("\r")
        if self._dropped:
            # What is left of a secret at the cut is shorter than the longest one: it goes with this last stretch.
            text = self._redactor.clean(text)[: -self._redactor.longest_bytes or None]
            text += f" … ({self._dropped} bytes more)"
        self._held.clear()
        self._dropped = 0
        return [text] if text.strip() else []

    def _hold(self, part: bytes) -> None:
        room = LONGEST_LINE_BYTES + self._redactor.longest_bytes - len(self._held)
        self._held += part[:room]
        self._dropped += max(0, len(part) - room)
