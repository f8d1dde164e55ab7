"""what a chart file was known by when it was read last; profiles of countries are made anew, with seasons."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Do it."""
    op.add_column("chart_fetches", sa.Column("digest", sa.String(length=64), nullable=True))
    op.execute("DELETE FROM country_profiles")  # made of the charts again by the next survey


def downgrade() -> None:
    """Undo it; each file counts as unread then, and the same one again changes nothing."""
    op.drop_column("chart_fetches", "digest")
    op.execute("DELETE FROM country_profiles")
