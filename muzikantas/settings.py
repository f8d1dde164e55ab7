"""The environment as typed values, read once a process.

Read in this order, the first that names a variable wins: the environment, `.env` in the working folder, `run/env` of a
stack that `muzikantas up` left running under `MUZ_HOME`. Every variable is described in `docs/settings.md`.
"""

import os
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from muzikantas.domain.errors import InputError

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseSettings):
    """Everything that differs between two installations. Field `x_y` is the variable `X_Y`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    muz_home: Path = Path("var")
    muz_isolated: bool = False  # set by `demo` and the tests: nothing outside this machine may be named
    muz_log_level: str = "INFO"

    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    visibility_timeout_s: int = Field(default=300, ge=8)  # how long a broker waits for a lost worker

    suno_base_url: str = "https://api.sunoapi.org"
    suno_api_key: SecretStr = SecretStr("")
    suno_model: str = "V5"
    suno_plan: str = "unknown"
    suno_terms: str = "not recorded; set SUNO_TERMS to the terms that your plan was bought under"
    suno_credits_per_request: int = Field(default=12, ge=0)
    suno_rate_calls: int = Field(default=20, ge=1)
    suno_rate_window_s: float = Field(default=10.0, gt=0)
    suno_concurrency: int = Field(default=20, ge=1)
    suno_usual_s: float = Field(default=150.0, gt=0)  # until enough durations were observed
    # Longer than a submit can take (connect, total and one silence: `clients/http.py`): after it no answer can come.
    submit_deadline_s: float = Field(default=85.0, gt=0)
    generation_deadline_s: float = Field(default=3600.0, gt=0)

    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr = SecretStr("")
    openai_models: Annotated[tuple[str, ...], NoDecode] = ("gpt-5-mini", "gpt-5-nano")
    openai_usd_per_million_input: Decimal = Decimal("0.25")
    openai_usd_per_million_output: Decimal = Decimal("2.00")
    llm_calls_per_purpose: int = Field(default=3, ge=1)

    public_url: str = ""  # where providers reach `python -m muzikantas.api`; unset: polling carries all
    callback_port: int = Field(default=0, ge=0, le=65535)  # of `up`; 0: a free one, remembered in MUZ_HOME

    distribution_base_url: str = ""
    distribution_api_key: SecretStr = SecretStr("")

    store_url: str = ""
    beat_schedule: str = ""
    cycle_deadline_s: float = Field(default=7200.0, gt=0)
    reconcile_after_s: float = Field(default=120.0, gt=0)
    quorum_share: float = Field(default=0.5, ge=0, le=1)
    outcome_days: int = Field(default=7, ge=1, le=28)

    flower_port: int = Field(default=0, ge=0, le=65535)  # 0: a free one, remembered in MUZ_HOME

    @field_validator("openai_models", mode="before")
    @classmethod
    def _split_models(cls, value: Any) -> Any:  # noqa: ANN401 (whatever the environment holds)
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url", mode="after")
    @classmethod
    def _name_the_driver(cls, value: SecretStr) -> SecretStr:
        """Spell out psycopg2: SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3."""
        url = value.get_secret_value()
        for bare in ("postgresql://", "postgres://"):
            if url.startswith(bare):
                return SecretStr("postgresql+psycopg2://" + url.removeprefix(bare))
        return value

    @model_validator(mode="after")
    def _stay_on_this_machine(self) -> Self:
        """Refuse any foreign host while `MUZ_ISOLATED` is set, whoever named it."""
        if self.muz_isolated:
            for name, url in self.addresses().items():
                host = urlsplit(url).hostname
                if url and host not in LOOPBACK:
                    raise ValueError(f"{name.upper()} names the host {host}; with MUZ_ISOLATED=1 only loopback is used")
        return self

    def addresses(self) -> dict[str, str]:
        """Every URL of a server that settings name, by field."""
        return {
            "database_url": self.database_url.get_secret_value(),
            "redis_url": self.redis_url.get_secret_value(),
            "suno_base_url": self.suno_base_url,
            "openai_base_url": self.openai_base_url,
            "public_url": self.public_url,
            "distribution_base_url": self.distribution_base_url,
        }

    def secrets(self) -> list[str]:
        """Every secret value that must never reach a log: keys, and the passwords inside URLs."""
        keys = [self.suno_api_key, self.openai_api_key, self.distribution_api_key]
        passwords = [urlsplit(url).password or "" for url in self.addresses().values()]
        return [secret for secret in [*(key.get_secret_value() for key in keys), *passwords] if secret]

    @property
    def audio_store(self) -> str:
        """Where audio is kept, as fsspec spells it; a folder under `MUZ_HOME` unless `STORE_URL` says otherwise."""
        return self.store_url or str((self.muz_home / "store").absolute())


def read_settings() -> Settings:
    """Read the settings now. Raises `InputError` that names each variable that is wrong, never its value."""
    home = Path(os.environ.get("MUZ_HOME", "var"))
    isolated = os.environ.get("MUZ_ISOLATED", "").lower() in {"1", "true", "yes"}
    files = () if isolated else (home / "run" / "env", Path(".env"))
    try:
        return Settings(_env_file=files)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])).upper() or 'settings'}: {e['msg']}" for e in error.errors()]
        raise InputError("the settings do not hold together:\n" + "\n".join(lines)) from None


@cache
def settings() -> Settings:
    """Read the settings once a process."""
    return read_settings()
