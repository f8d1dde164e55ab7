"""The database for a command: the one of the settings, else the embedded one for the command's own duration."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import click
from sqlalchemy.exc import OperationalError

from muzikantas.domain.errors import InputError
from muzikantas.models import migrations
from muzikantas.settings import settings
from muzikantas.studio import Studio, studio


@contextlib.contextmanager
def rows() -> Iterator[Studio]:
    """Give a studio whose database answers and has the newest tables."""
    url = settings().database_url.get_secret_value()
    with contextlib.ExitStack() as stack:
        if not url:
            from muzikantas.local.stack import database_only  # noqa: PLC0415 (only without a running stack)

            click.echo("No stack is running: starting the embedded PostgreSQL for this command.", err=True)
            stack.enter_context(database_only(settings().muz_home))
        try:
            missing = migrations.missing(studio().engine)
        except OperationalError as error:
            raise InputError(f"cannot reach the database at {where(url)}: {str(error.orig).strip()}") from None
        if missing:
            raise InputError(
                f"the database lacks migrations {', '.join(missing)}; run `alembic upgrade head` or `muzikantas up`"
            )
        yield studio()


def where(url: str) -> str:
    """Give the address of a URL without its user and password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
