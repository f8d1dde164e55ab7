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

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from muzikantas.domain.errors import InputError
from muzikantas.domain.licence import Licences, licences

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
#: Music providers, and the group of settings (the first word of its variables) of each.
MUSIC = {"sunoapi": "suno", "kie": "kie", "elevenlabs": "elevenlabs"}


class MusicProvider(BaseModel):
    """What an installation knows of one music provider. What is None is as the provider documents it."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    base_url: str = ""  # empty: the provider's own
    api_key: SecretStr = SecretStr("")  # several accounts: several keys, with commas between
    model: str | None = None
    plan: str = "unknown"
    terms: str | None = None
    credits_per_request: int | None = Field(default=None, ge=0)
    usd_per_credit: Decimal | None = Field(default=None, ge=0)  # unset: what music costs is not known
    rate_calls: int | None = Field(default=None, ge=1)
    rate_window_s: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1)
    usual_s: float | None = Field(default=None, gt=0)  # until enough durations were observed
    webhook_key: SecretStr = SecretStr("")  # callbacks that are not signed with it are refused

    @property
    def keys(self) -> list[str]:
        """The accounts' keys, in order."""
        return _parts(self.api_key.get_secret_value())

    def facts(self) -> dict[str, str | int | float]:
        """What replaces documented facts, by field of `ProviderFacts`."""
        names = {"default_model": "model"} | {
            name: name
            for name in ("terms", "credits_per_request", "rate_calls", "rate_window_s", "concurrency", "usual_s")
        }
        known = {fact: getattr(self, name) for fact, name in names.items()}
        return {fact: value for fact, value in known.items() if value is not None}


class Settings(BaseSettings):
    """Everything that differs between two installations. Field `x_y` is the variable `X_Y`.

    A music provider's own are a group: `SUNO_RATE_CALLS` is `suno.rate_calls`.
    """

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
        env_nested_delimiter="_",
        env_nested_max_split=1,
    )

    muz_home: Path = Path("var")
    muz_isolated: bool = False  # set by `demo` and the tests: nothing outside this machine may be named
    muz_log_level: str = "INFO"

    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    visibility_timeout_s: int = Field(default=300, ge=8)  # how long a broker waits for a lost worker

    music_providers: Annotated[tuple[str, ...], NoDecode] = ("sunoapi",)  # first choice first
    suno: MusicProvider = MusicProvider()
    kie: MusicProvider = MusicProvider()
    elevenlabs: MusicProvider = MusicProvider()
    # Longer than a submit can take (connect, total and one silence: `clients/http.py`): after it no answer can come.
    submit_deadline_s: float = Field(default=85.0, gt=0)
    generation_deadline_s: float = Field(default=3600.0, gt=0)

    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr = SecretStr("")
    openai_models: Annotated[tuple[str, ...], NoDecode] = ("gpt-5-mini", "gpt-5-nano")
    openai_usd_per_million_input: Decimal = Decimal("0.25")
    openai_usd_per_million_output: Decimal = Decimal("2.00")
    openai_rate_calls: int = Field(default=500, ge=1)
    openai_rate_window_s: float = Field(default=60.0, gt=0)
    openai_concurrency: int = Field(default=16, ge=1)
    llm_calls_per_purpose: int = Field(default=3, ge=1)

    public_url: str = ""  # where providers reach `python -m muzikantas.api`; unset: polling carries all
    callback_port: int = Field(default=0, ge=0, le=65535)  # of `up`; 0: a free one, remembered in MUZ_HOME

    distribution_base_url: str = ""
    distribution_api_key: SecretStr = SecretStr("")
    distribution_rate_calls: int = Field(default=10, ge=1)
    distribution_rate_window_s: float = Field(default=1.0, gt=0)
    distribution_concurrency: int = Field(default=4, ge=1)

    # Spotify does not publish the limit of an app in Development Mode; 20 calls in its window of 30 s are careful.
    spotify_base_url: str = "https://api.spotify.com/v1"
    spotify_token_url: str = "https://accounts.spotify.com/api/token"  # noqa: S105 (an address)
    spotify_client_id: str = ""  # empty: nothing is looked up
    spotify_client_secret: SecretStr = SecretStr("")
    spotify_rate_calls: int = Field(default=20, ge=1)
    spotify_rate_window_s: float = Field(default=30.0, gt=0)
    spotify_concurrency: int = Field(default=2, ge=1)

    charts_wanted: Annotated[tuple[str, ...], NoDecode] = ()  # such as regional-global-weekly,top50-daily-japan
    charts_folder: str = ""  # where somebody puts chart files
    charts_url: str = ""  # an operator's own server, with {chart}, {country}, {period}, {date}
    charts_window_days: int = Field(default=35, ge=7, le=3660)  # how far back missing dates are looked for
    charts_rate_calls: int = Field(default=30, ge=1)
    charts_rate_window_s: float = Field(default=60.0, gt=0)
    charts_concurrency: int = Field(default=2, ge=1)

    store_url: str = ""
    beat_schedule: str = ""
    cycle_deadline_s: float = Field(default=7200.0, gt=0)
    reconcile_after_s: float = Field(default=120.0, gt=0)
    quorum_share: float = Field(default=0.5, ge=0, le=1)
    outcome_days: int = Field(default=7, ge=1, le=28)

    # By `platform:COUNTRY`, `platform` or `*`; where reports state revenue, theirs counts.
    payout_usd_per_stream: Annotated[tuple[tuple[str, Decimal], ...], NoDecode] = ()
    sources: Annotated[tuple[str, ...], NoDecode] = ()  # rights in data, such as spotify=store+analyse

    flower_port: int = Field(default=0, ge=0, le=65535)  # 0: a free one, remembered in MUZ_HOME

    @field_validator("openai_models", "music_providers", "charts_wanted", "sources", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:  # noqa: ANN401 (whatever the environment holds)
        return tuple(_parts(value)) if isinstance(value, str) else value

    @field_validator("music_providers", mode="after")
    @classmethod
    def _know_providers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in MUSIC]
        if unknown or not value:
            raise ValueError(f"found {', '.join(unknown) or 'none'}; expected some of {', '.join(MUSIC)}")
        return value

    @field_validator("sources", mode="after")
    @classmethod
    def _know_rights(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        licences(value)
        return value

    @field_validator("payout_usd_per_stream", mode="before")
    @classmethod
    def _read_prices(cls, value: Any) -> Any:  # noqa: ANN401 (whatever the environment holds)
        """Read `spotify=0.003,spotify:DE=0.004`."""
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in _parts(value)]
        if any(not name.strip() or not sign for name, sign, _ in pairs):
            raise ValueError(f"found {value!r}; expected prices such as spotify=0.003,spotify:DE=0.004")
        return tuple((name.strip(), price.strip()) for name, _, price in pairs)

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
            for name in self.music_providers:
                if not self.music(name).base_url:
                    raise ValueError(
                        f"{MUSIC[name].upper()}_BASE_URL is not set; with MUZ_ISOLATED=1 it names loopback"
                    )
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
            **{f"{group}_base_url": getattr(self, group).base_url for group in MUSIC.values()},
            "openai_base_url": self.openai_base_url,
            "public_url": self.public_url,
            "distribution_base_url": self.distribution_base_url,
            "spotify_base_url": self.spotify_base_url if self.spotify_client_id else "",
            "spotify_token_url": self.spotify_token_url if self.spotify_client_id else "",
            "charts_url": self.charts_url,
        }

    def secrets(self) -> list[str]:
        """Every secret value that must never reach a log: keys, and the passwords inside URLs."""
        music = [getattr(self, group) for group in MUSIC.values()]
        own = (self.openai_api_key, self.distribution_api_key, self.spotify_client_secret)
        keys = [*own, *(provider.webhook_key for provider in music)]
        passwords = [urlsplit(url).password or "" for url in self.addresses().values()]
        found = [*(key.get_secret_value() for key in keys), *passwords, *(key for each in music for key in each.keys)]
        return [secret for secret in found if secret]

    def music(self, provider: str) -> MusicProvider:
        """Give what is known here of a music provider. Raises `InputError` for one that does not exist."""
        if provider not in MUSIC:
            raise InputError(f"no music provider is called {provider!r}; expected one of {', '.join(MUSIC)}")
        known: MusicProvider = getattr(self, MUSIC[provider])
        return known

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Every variable that is read, with its field."""
        found: dict[str, FieldInfo] = {}
        for name, field in cls.model_fields.items():
            if name in MUSIC.values():
                found |= {f"{name}_{own}".upper(): each for own, each in MusicProvider.model_fields.items()}
            else:
                found[name.upper()] = field
        return found

    @property
    def licences(self) -> Licences:
        """What may be done with the data of each source."""
        return licences(self.sources)

    @property
    def audio_store(self) -> str:
        """Where audio is kept, as fsspec spells it; a folder under `MUZ_HOME` unless `STORE_URL` says otherwise."""
        return self.store_url or str((self.muz_home / "store").absolute())


def _parts(text: str) -> list[str]:
    """Split a list as the environment has it."""
    return [part.strip() for part in text.split(",") if part.strip()]


def read_settings() -> Settings:
    """Read the settings now. Raises `InputError` that names each variable that is wrong, never its value."""
    home = Path(os.environ.get("MUZ_HOME", "var"))
    isolated = os.environ.get("MUZ_ISOLATED", "").lower() in {"1", "true", "yes"}
    files = () if isolated else (home / "run" / "env", Path(".env"))
    try:
        return Settings(_env_file=files)
    except ValidationError as error:
        lines = [f"  {'_'.join(map(str, e['loc'])).upper() or 'settings'}: {e['msg']}" for e in error.errors()]
        raise InputError("the settings do not hold together:\n" + "\n".join(lines)) from None


@cache
def settings() -> Settings:
    """Read the settings once a process."""
    return read_settings()
