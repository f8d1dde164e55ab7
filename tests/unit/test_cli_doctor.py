"""`muzikantas doctor` where nothing runs: it says what to do, gives exit code 1 and no secret."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from muzikantas.cli.doctor import doctor, examine
from muzikantas.cli.sending import require_broker
from muzikantas.domain.errors import InputError
from muzikantas.settings import settings
from muzikantas.studio import studio


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, and no `.env` from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUZ_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    studio.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()
    studio.cache_clear()


def verdicts() -> dict[str, str]:
    found = examine()
    return {finding.name: finding.verdict for finding in found}


def test_nothing_set_and_nothing_running() -> None:
    result = CliRunner().invoke(doctor)

    assert result.exit_code == 1
    assert "muzikantas up" in result.stdout
    found = verdicts()
    assert {name for name, verdict in found.items() if verdict == "fail"} == {"database", "broker", "music", "language"}


def test_every_failure_says_what_to_do() -> None:
    assert all(finding.advice for finding in examine() if finding.verdict != "ok")


def test_keys_and_passwords_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:planted-1@/x?host=/nonexistent")
    monkeypatch.setenv("REDIS_URL", "unix://:planted-2@/nonexistent/broker")
    monkeypatch.setenv("SUNO_API_KEY", "planted-3")
    monkeypatch.setenv("OPENAI_API_KEY", "planted-4")

    result = CliRunner().invoke(doctor)

    assert result.exit_code == 1
    assert "planted" not in result.output
    assert "/nonexistent/broker does not answer" in result.stdout
    assert "(real)" in result.stdout


def test_wrong_setting_is_a_line_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUNO_CONCURRENCY", "many")

    assert verdicts()["settings"] == "fail"


def test_stack_that_was_killed_is_told_from_one_that_runs(empty_place: Path) -> None:
    run = empty_place / "run"
    run.mkdir(parents=True)
    assert "stack" not in verdicts()

    (run / "env").write_text("SUNO_PLAN='sandbox'\n")
    (run / "lock").write_text("")
    assert verdicts()["stack"] == "fail"

    (run / "lock").write_text(json.dumps({"pid": os.getpid()}))
    assert verdicts()["stack"] == "ok"


def test_home_that_is_a_file_fails(empty_place: Path) -> None:
    empty_place.write_text("")

    assert verdicts()["home"] == "fail"


@pytest.mark.parametrize("url", ["", "unix://:planted@/nonexistent/broker", "nonsense"])
def test_command_without_a_broker_says_so_in_one_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    with pytest.raises(InputError, match="broker") as caught:
        require_broker()

    assert "muzikantas up" in str(caught.value)
    assert "planted" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
