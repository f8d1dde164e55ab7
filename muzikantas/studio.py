"""The wiring: settings → engine, clients, store. The only module that names concrete classes; made once a process."""

import contextlib
from collections.abc import Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING

import redis
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from muzikantas.clients.distribution import DistributionClient
from muzikantas.clients.generators import Generator, generator
from muzikantas.clients.governor import Governor
from muzikantas.clients.store import AudioStore
from muzikantas.domain.accounts import Account, Limits
from muzikantas.domain.errors import InputError, TransientError
from muzikantas.settings import Settings, settings

if TYPE_CHECKING:
    from muzikantas.clients.llm import LlmClient


class Studio:
    """What a task works with. Everything is made at its first use, in the process that uses it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def engine(self) -> Engine:
        """Connections to PostgreSQL: few, because every worker child has its own."""
        url = self.settings.database_url.get_secret_value()
        if not url:
            raise InputError(
                "no database: DATABASE_URL is not set and no stack is running; start one with `muzikantas up` "
                "or set DATABASE_URL"
            )
        return create_engine(
            url,
            pool_size=2,
            max_overflow=3,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5, "application_name": "muzikantas"},
        )

    @contextlib.contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a session in one transaction: committed at the end, rolled back on an error.

        Raises `TransientError` when the database does not answer, or undid the transaction for a reason that passes.
        """
        try:
            with sessionmaker(self.engine, expire_on_commit=False).begin() as session:
                yield session
        except (OperationalError, InterfaceError) as error:
            raise TransientError(f"the database does not answer: {str(error.orig).strip()}") from error

    @cached_property
    def music(self) -> Generator:
        """The music provider."""
        return generator("sunoapi", base_url=self.settings.suno_base_url)

    @cached_property
    def suno_governor(self) -> Governor:
        """Who may call the music provider, and when."""
        limits = Limits(
            calls=self.settings.suno_rate_calls,
            window_s=self.settings.suno_rate_window_s,
            concurrency=self.settings.suno_concurrency,
        )
        connection = redis.Redis.from_url(
            self.settings.redis_url.get_secret_value(), socket_timeout=5, socket_connect_timeout=5
        )
        accounts = [Account(name="suno", limits=limits)]
        return Governor(connection, "suno", accounts, usual_s=self.settings.suno_usual_s)

    @cached_property
    def llm(self) -> "LlmClient":
        """The language model."""
        from muzikantas.clients.llm import LlmClient  # noqa: PLC0415 (openai takes a second to import; only llm workers pay)

        return LlmClient(self.settings.openai_base_url, self.settings.openai_api_key.get_secret_value())

    @cached_property
    def distribution(self) -> DistributionClient | None:
        """The distributor, where one is configured."""
        base_url = self.settings.distribution_base_url
        return DistributionClient(base_url, self.settings.distribution_api_key.get_secret_value()) if base_url else None

    @cached_property
    def store(self) -> AudioStore:
        """Where audio is kept."""
        return AudioStore(self.settings.audio_store)


@cache
def studio() -> Studio:
    """Give this process's studio."""
    return Studio(settings())
