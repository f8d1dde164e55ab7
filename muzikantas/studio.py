"""The wiring: settings → engine, clients, store. The only module that names concrete classes; made once a process."""

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from muzikantas.analysis.chart_dates import wanted
from muzikantas.clients.chart_source import ChartPlan, ChartSource, FolderSource, HttpSource
from muzikantas.clients.distribution import DistributionClient
from muzikantas.clients.generators import generator
from muzikantas.clients.governor import Governor
from muzikantas.clients.music import Music, accounts
from muzikantas.clients.store import AudioStore
from muzikantas.domain.accounts import Limits
from muzikantas.domain.errors import InputError, TransientError
from muzikantas.models.connections import ping_after_idling
from muzikantas.settings import Settings, settings

if TYPE_CHECKING:
    from muzikantas.clients.llm import LlmClient
    from muzikantas.clients.spotify import SpotifyClient


#: How long a call usually takes, until the governor has seen some: so long a full one lets the next wait.
LLM_S, DISTRIBUTION_S, SPOTIFY_S, CHARTS_S = 5.0, 1.0, 1.0, 2.0


class Studio:
    """What a task works with. Everything is made at its first use, in the process that uses it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._music: dict[str, Music] = {}
        self._remembered: dict[str, tuple[float, float]] = {}

    @cached_property
    def engine(self) -> Engine:
        """Connections to PostgreSQL: few, because every worker child has its own."""
        url = self.settings.database_url.get_secret_value()
        if not url:
            raise InputError(
                "no database: DATABASE_URL is not set and no stack is running; start one with `muzikantas up` "
                "or set DATABASE_URL"
            )
        engine = create_engine(
            url,
            pool_size=2,
            max_overflow=3,
            connect_args={"connect_timeout": 5, "application_name": "muzikantas"},
        )
        ping_after_idling(engine)
        return engine

    @cached_property
    def _one_by_one(self) -> Engine:
        """The same connections, lent without a transaction."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @cached_property
    def _sessions(self) -> "sessionmaker[Session]":
        return sessionmaker(self.engine, expire_on_commit=False)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a session in one transaction: committed at the end, rolled back on an error.

        Raises `TransientError` when the database does not answer, or undid the transaction for a reason that passes.
        """
        with _answering(), self._sessions.begin() as session:
            yield session

    @contextlib.contextmanager
    def alone(self) -> Iterator[Session]:
        """Open a session for a single statement, which is committed by itself: one trip instead of three.

        Raises `TransientError` when the database does not answer; a write may have come through all the same.
        """
        with _answering(), self._sessions(bind=self._one_by_one) as session:
            yield session

    def remembered(self, what: str, ask: Callable[[], float], *, for_s: float) -> float:
        """Give a figure that many ask for and that may be a little old: asked for anew after `for_s`."""
        now = time.monotonic()
        if what not in self._remembered or self._remembered[what][0] + for_s < now:
            self._remembered[what] = (now, ask())
        return self._remembered[what][1]

    def music(self, provider: str) -> Music:
        """One of the music providers; made at its first use."""
        if provider not in self._music:
            known = self.settings.music(provider)
            maker = generator(provider, base_url=known.base_url, known=known.facts())
            facts = maker.facts
            limits = Limits(calls=facts.rate_calls, window_s=facts.rate_window_s, concurrency=facts.concurrency)
            named = accounts(provider, known.keys or [""], limits)
            self._music[provider] = Music(
                generator=maker,
                governor=Governor(self.redis, provider, list(named.values()), usual_s=facts.usual_s),
                keys={account.name: key for key, account in named.items()},
            )
        return self._music[provider]

    @cached_property
    def llm_governor(self) -> Governor:
        """Who may ask a language model, and when."""
        limits = Limits(
            calls=self.settings.openai_rate_calls,
            window_s=self.settings.openai_rate_window_s,
            concurrency=self.settings.openai_concurrency,
        )
        key = self.settings.openai_api_key.get_secret_value()
        return Governor(self.redis, "openai", list(accounts("openai", [key], limits).values()), usual_s=LLM_S)

    @cached_property
    def distribution_governor(self) -> Governor:
        """Who may call the distributor, and when."""
        limits = Limits(
            calls=self.settings.distribution_rate_calls,
            window_s=self.settings.distribution_rate_window_s,
            concurrency=self.settings.distribution_concurrency,
        )
        key = self.settings.distribution_api_key.get_secret_value()
        named = accounts("distribution", [key], limits)
        return Governor(self.redis, "distribution", list(named.values()), usual_s=DISTRIBUTION_S)

    @cached_property
    def spotify_governor(self) -> Governor:
        """Who may look something up at Spotify, and when."""
        limits = Limits(
            calls=self.settings.spotify_rate_calls,
            window_s=self.settings.spotify_rate_window_s,
            concurrency=self.settings.spotify_concurrency,
        )
        named = accounts("spotify", [self.settings.spotify_client_id], limits)
        return Governor(self.redis, "spotify", list(named.values()), usual_s=SPOTIFY_S)

    @cached_property
    def charts_governor(self) -> Governor | None:
        """Who may ask the operator's chart server, and when; None where there is none."""
        if not self.settings.charts_url:
            return None
        limits = Limits(
            calls=self.settings.charts_rate_calls,
            window_s=self.settings.charts_rate_window_s,
            concurrency=self.settings.charts_concurrency,
        )
        return Governor(self.redis, "charts", list(accounts("charts", [""], limits).values()), usual_s=CHARTS_S)

    @cached_property
    def charts(self) -> ChartPlan:
        """Which charts are wanted and may be stored, and who has them: the drop folder before the server."""
        folder, url = self.settings.charts_folder, self.settings.charts_url
        sources: list[ChartSource] = [FolderSource(Path(folder))] if folder else []
        sources += [HttpSource(url)] if url else []
        named = [wanted(name) for name in self.settings.charts_wanted]
        allowed = [chart for chart in named if self.settings.licences.of(chart.source).may_store]
        return ChartPlan(wanted=allowed, sources=sources, window_days=self.settings.charts_window_days)

    @cached_property
    def spotify(self) -> "SpotifyClient | None":
        """Spotify's catalogue, where the operator's app has a key."""
        from muzikantas.clients.spotify import SpotifyClient  # noqa: PLC0415 (only who looks up needs spotipy)

        settings = self.settings
        if not settings.spotify_client_id:
            return None
        return SpotifyClient(
            self.redis,
            settings.spotify_client_id,
            settings.spotify_client_secret.get_secret_value(),
            base_url=settings.spotify_base_url,
            token_url=settings.spotify_token_url,
        )

    @cached_property
    def redis(self) -> redis.Redis:
        """The Redis that all workers share: the governor's."""
        url = self.settings.redis_url.get_secret_value()
        return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)

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


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Make what passes with the database's next breath a passing failure."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise TransientError(f"the database does not answer: {str(error.orig).strip()}") from error


@cache
def studio() -> Studio:
    """Give this process's studio."""
    return Studio(settings())
