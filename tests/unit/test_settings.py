"""Settings: what wins, what is refused, and what never shows."""

from pathlib import Path

import pytest

from muzikantas.domain.errors import InputError
from muzikantas.settings import read_settings


def test_a_bare_postgres_address_names_psycopg2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:secret@db/label")
    url = read_settings().database_url.get_secret_value()
    assert url == "postgresql+psycopg2://ada:secret@db/label"


def test_the_environment_beats_dotenv_and_dotenv_beats_a_running_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUZ_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "run").mkdir(parents=True)
    (tmp_path / "home" / "run" / "env").write_text("SUNO_MODEL='running'\nSUNO_PLAN='running'\nSUNO_TERMS='running'\n")
    (tmp_path / ".env").write_text("SUNO_MODEL=file\nSUNO_PLAN=file\n")
    monkeypatch.setenv("SUNO_MODEL", "environment")
    settings = read_settings()
    assert (settings.suno.model, settings.suno.plan, settings.suno.terms) == ("environment", "file", "running")


def test_isolated_ignores_every_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SUNO_MODEL=file\n")
    monkeypatch.setenv("MUZ_ISOLATED", "1")
    for name in ("SUNO_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert read_settings().suno.model is None


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "REDIS_URL", "SUNO_BASE_URL", "OPENAI_BASE_URL", "DISTRIBUTION_BASE_URL"]
)
def test_isolated_refuses_any_other_host_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("MUZ_ISOLATED", "1")
    for local in ("SUNO_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.setenv(local, "http://localhost:9")
    monkeypatch.setenv(name, "https://user:hidden-word@api.example.org/v1")
    with pytest.raises(InputError, match=rf"{name} names the host api\.example\.org") as refused:
        read_settings()
    assert "hidden-word" not in str(refused.value)


def test_a_wrong_value_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIBILITY_TIMEOUT_S", "soon-or-later")
    with pytest.raises(InputError, match="VISIBILITY_TIMEOUT_S: Input should be a valid integer") as refused:
        read_settings()
    assert "soon-or-later" not in str(refused.value)


def test_models_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_MODELS", "first, second ,")
    assert read_settings().openai_models == ("first", "second")


def test_secrets_are_keys_and_passwords_and_no_settings_object_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:word-of-ada@db/label")
    monkeypatch.setenv("SUNO_API_KEY", "key-of-suno")
    settings = read_settings()
    assert sorted(settings.secrets()) == ["key-of-suno", "word-of-ada"]
    assert "key-of-suno" not in repr(settings)
    assert "word-of-ada" not in repr(settings)
