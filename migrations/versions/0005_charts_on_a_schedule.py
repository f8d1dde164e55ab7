"""charts on a schedule: since when values are what they are, what corrections replaced, which dates were asked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Do it."""
    op.alter_column("chart_entries", "created_at", new_column_name="imported_at")
    op.create_table(
        "chart_corrections",
        sa.Column("id", sa.BigInteger(), nullable=False),
        *_position(),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("was", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("file", sa.String(length=300), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_corrections")),
    )
    op.create_index("ix_chart_corrections_chart", "chart_corrections", ["source", "chart", "country", "day"])
    op.create_table(
        "chart_fetches",
        sa.Column("id", sa.BigInteger(), nullable=False),
        *_position(),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("file", sa.String(length=300), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_fetches")),
        sa.UniqueConstraint(
            "source", "chart", "country", "day", name=op.f("uq_chart_fetches_source_chart_country_day")
        ),
    )


def _position() -> "list[sa.Column[object]]":
    return [
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("chart", sa.String(length=32), nullable=False),
        sa.Column("country", sa.String(length=6), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
    ]


def downgrade() -> None:
    """Undo it; the values before corrections are lost."""
    op.drop_table("chart_fetches")
    op.drop_index("ix_chart_corrections_chart", table_name="chart_corrections")
    op.drop_table("chart_corrections")
    op.alter_column("chart_entries", "imported_at", new_column_name="created_at")
