"""Unit tests run with nothing running: no socket is opened, and no setting comes from outside."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

from muzikantas.settings import Settings, settings


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in Settings.variables():
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MUZ_HOME", "/nonexistent/muzikantas")
    settings.cache_clear()
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
    settings.cache_clear()
