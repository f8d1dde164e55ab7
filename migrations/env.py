"""How Alembic reaches the database: the connection that it is handed, else the one of the settings."""

from alembic import context
from sqlalchemy import Connection, create_engine

from muzikantas.models import Base
from muzikantas.settings import read_settings


def migrate(connection: Connection) -> None:
    """Run the migrations on an open connection, all in one transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = create_engine(read_settings().database_url.get_secret_value())
    with engine.connect() as opened:
        migrate(opened)
        opened.commit()
