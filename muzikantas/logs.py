"""Logs as JSON lines: every line carries what it is about, and no line carries a secret."""

import contextlib
import contextvars
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from muzikantas.settings import Settings

_context: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("log_context", default=None)


@contextlib.contextmanager
def context(**fields: Any) -> Iterator[None]:  # noqa: ANN401 (anything JSON)
    """Add fields (ids of a task, a cycle, a generation) to every line that is logged inside."""
    known = {name: value for name, value in fields.items() if value is not None}
    token = _context.set({**(_context.get() or {}), **known})
    try:
        yield
    finally:
        _context.reset(token)


class Redacting(JsonFormatter):
    """Formats a record as one JSON object, with the secrets of the settings replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(processName)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "processName": "process"},
            timestamp="time",
        )
        self.secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        for name, value in (_context.get() or {}).items():
            setattr(record, name, value)
        line = super().format(record)
        for secret in self.secrets:
            line = line.replace(secret, "***")
        return line


#: A shorter one would blank out half of every line.
SHORTEST_SECRET = 6


def set_up(settings: Settings) -> None:
    """Send the root logger to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting(settings.secrets()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.muz_log_level.upper())
