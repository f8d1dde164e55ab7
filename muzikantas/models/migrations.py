"""Bring a database to the newest tables, or tell how far it is."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from muzikantas import shipped

#: Any constant: two programs that migrate at once wait for each other under this advisory lock.
LOCK = 7_266_001


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing; safe to call from several programs at once."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def missing(engine: Engine) -> list[str]:
    """Name the migrations that have not been run."""
    scripts = ScriptDirectory.from_config(_config())
    with engine.connect() as connection:
        done = MigrationContext.configure(connection).get_current_revision()
    return [script.revision for script in scripts.iterate_revisions("head", done)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(shipped.path("migrations")))
    return config
