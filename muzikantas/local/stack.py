"""The whole stack on one machine: servers, tables, workers, and the file that tells others where it is."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine

from muzikantas.local import ports, programs
from muzikantas.local.home import Home, kept_secret
from muzikantas.local.lock import hold
from muzikantas.local.postgres import Postgres
from muzikantas.local.supervisor import OnEvent, Supervisor
from muzikantas.local.valkey import Valkey
from muzikantas.models import migrations
from muzikantas.settings import Settings, read_settings, settings
from muzikantas.studio import studio

#: What the clients need to talk to the sandbox as to the real thing.
SANDBOX_KEY = "sandbox-local"
SANDBOX_WEBHOOK_KEY = "sandbox-webhook-key"
#: The music providers in the sandbox: the first word of their settings, their path, and what a request costs there.
SANDBOX_MUSIC = {"SUNO": ("", 10), "KIE": ("/kie", 12), "ELEVENLABS": ("/elevenlabs", 150)}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Which parts of the stack are wanted."""

    groups: Mapping[str, str] = field(default_factory=lambda: programs.GROUPS)
    beat: bool = True
    flower: bool = True
    callbacks: bool = True
    durable: bool = True
    sandbox_options: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)  #: settings of this stack alone


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A running stack."""

    home: Home
    supervisor: Supervisor
    env: Mapping[str, str]  #: settings that reach it
    sandbox_url: str | None
    flower_url: str | None = None
    flower_password: str | None = None


@contextlib.contextmanager
def embedded(home_path: Path, shape: Shape, on_event: OnEvent | None = None) -> Iterator[Stack]:
    """Run a stack with servers of its own and the sandbox, whatever the environment says; for `demo` and tests.

    Inside, this process's settings are the stack's: it ignores every URL and key that was set before.
    """
    home = Home(home_path)
    with hold(home.run), Supervisor(home.run, home.logs, on_event=on_event) as supervisor:
        values = _servers(home, supervisor, durable=shape.durable)
        values |= {"MUZ_ISOLATED": "1", **_sandbox(home, supervisor, shape), **shape.overrides}
        with _entered(values):
            yield _programs(home, supervisor, values, shape)


@contextlib.contextmanager
def operators(shape: Shape, on_event: OnEvent | None = None) -> Iterator[Stack]:
    """Run the operator's stack: embedded servers and sandbox only for what the settings leave unnamed.

    Its addresses are written to `run/env`, where other commands find them.
    """
    given = read_settings()
    home = Home(given.muz_home)
    with hold(home.run):
        home.remove_env()  # of a stack that was killed: its addresses must not count as given
        given = read_settings()
        with Supervisor(home.run, home.logs, redact=given.secrets(), on_event=on_event) as supervisor:
            values = _servers(home, supervisor, durable=True, given=given)
            if not _has_music(given) or not given.openai_api_key.get_secret_value():
                values |= _sandbox(home, supervisor, shape, given=given)
            values |= shape.overrides
            home.write_env(values)
            try:
                with _entered({**os.environ, **values}):
                    yield _programs(home, supervisor, values, shape)
            finally:
                home.remove_env()


@contextlib.contextmanager
def database_only(home_path: Path) -> Iterator[str]:
    """Run the embedded PostgreSQL alone, for a command that needs only rows; give its URL."""
    home = Home(home_path)
    with hold(home.run), Supervisor(home.run, home.logs) as supervisor:
        postgres = Postgres(home)
        supervisor.start([postgres.service()])
        postgres.create_database()
        with _entered({**os.environ, "DATABASE_URL": postgres.url()}):
            _migrate(postgres.url())
            yield postgres.url()


def _servers(home: Home, supervisor: Supervisor, *, durable: bool, given: Settings | None = None) -> dict[str, str]:
    """Start the servers that nobody has given, and bring the tables up to date."""
    values = {"MUZ_HOME": str(home.path)}
    wanted = []
    if given is None or not given.database_url.get_secret_value():
        postgres = Postgres(home, durable=durable)
        wanted.append(postgres.service())
        values["DATABASE_URL"] = postgres.url()
    if given is None or not given.redis_url.get_secret_value():
        valkey = Valkey(home)
        wanted.append(valkey.service())
        values["REDIS_URL"] = valkey.url()
    supervisor.start(wanted)
    if "DATABASE_URL" in values:
        postgres.create_database()
    _migrate(values.get("DATABASE_URL") or (given.database_url.get_secret_value() if given else ""))
    return values


def _migrate(url: str) -> None:
    engine = create_engine(url)
    migrations.upgrade(engine)
    engine.dispose()


def _sandbox(home: Home, supervisor: Supervisor, shape: Shape, given: Settings | None = None) -> dict[str, str]:
    """Start the sandbox and name it for every provider that has no key."""
    port = ports.remembered(home.data / "ports.json", "sandbox")
    folder = home.data / "sandbox"
    supervisor.start([programs.sandbox(programs.environment({}), port, folder, *shape.sandbox_options)])
    url = f"http://127.0.0.1:{port}"
    named: dict[str, str] = {}
    if given is None or not _has_music(given):
        for word, (path, price) in SANDBOX_MUSIC.items():
            named |= {f"{word}_BASE_URL": url + path, f"{word}_API_KEY": SANDBOX_KEY, f"{word}_PLAN": "sandbox"}
            named |= {f"{word}_TERMS": "sandbox: nothing here may be released", f"{word}_USUAL_S": "2"}
            named |= {f"{word}_CREDITS_PER_REQUEST": str(price)}
        named |= {"KIE_WEBHOOK_KEY": SANDBOX_WEBHOOK_KEY}
        if shape.callbacks:
            named |= {"PUBLIC_URL": f"http://127.0.0.1:{_callback_port(home)}"}
        if given is None or not given.distribution_base_url:
            named |= {"DISTRIBUTION_BASE_URL": url, "DISTRIBUTION_API_KEY": SANDBOX_KEY}
    if given is None:  # elsewhere no artist of the market may get a genre that the sandbox has invented
        named |= {"SPOTIFY_BASE_URL": f"{url}/spotify/v1", "SPOTIFY_TOKEN_URL": f"{url}/spotify/api/token"}
        named |= {"SPOTIFY_CLIENT_ID": SANDBOX_KEY, "SPOTIFY_CLIENT_SECRET": SANDBOX_KEY}
    if given is None or not given.openai_api_key.get_secret_value():
        named |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": SANDBOX_KEY}
    return named


def _programs(home: Home, supervisor: Supervisor, values: Mapping[str, str], shape: Shape) -> Stack:
    """Start workers, beat and Flower."""
    from muzikantas.celery import app  # noqa: PLC0415 (configured by the settings just entered)

    inherited = {} if values.get("MUZ_ISOLATED") else _named_settings()
    env = programs.environment({**inherited, **values})
    after = tuple(name for name in ("postgres", "valkey", "sandbox") if supervisor.pid(name) is not None)
    services = [programs.worker(queue, scale, env, app, after) for queue, scale in shape.groups.items()]
    if shape.callbacks:
        services.append(programs.callbacks(env, _callback_port(home), after))
    if shape.beat:
        services.append(programs.beat(env, home.run, after))
    password = port = None
    if shape.flower:
        password = kept_secret(home.data / "flower-password")
        port = settings().flower_port or ports.remembered(home.data / "ports.json", "flower")
        services.append(programs.flower(env, port, password, after))
    supervisor.start(services)
    return Stack(
        home=home,
        supervisor=supervisor,
        env=values,
        sandbox_url=settings().suno.base_url if "SUNO_BASE_URL" in values else None,
        flower_url=f"http://127.0.0.1:{port}/" if port else None,
        flower_password=password,
    )


def _callback_port(home: Home) -> int:
    """Give the port of the callback service: the one of the settings, or one that the home remembers."""
    return read_settings().callback_port or ports.remembered(home.data / "ports.json", "callbacks")


def _has_music(given: Settings) -> bool:
    """Tell whether the operator has a key for the music provider of first choice."""
    return bool(given.music(given.music_providers[0]).keys)


def _named_settings() -> dict[str, str]:
    """Give the settings that this process's environment names."""
    return {name: value for name, value in os.environ.items() if name in Settings.variables()}


@contextlib.contextmanager
def _entered(values: Mapping[str, str]) -> Iterator[None]:
    """Make `values` the settings of this process, and nothing else; as before afterwards."""
    before = {name: os.environ.pop(name) for name in _named_settings()}
    named = {name: value for name, value in values.items() if name in Settings.variables()}
    os.environ.update(named)
    settings.cache_clear()
    studio.cache_clear()
    try:
        yield
    finally:
        for name in named:
            os.environ.pop(name, None)
        os.environ.update(before)
        settings.cache_clear()
        studio.cache_clear()
