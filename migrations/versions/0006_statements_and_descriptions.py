"""what statements counted, what nobody could match, what sources say of artists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "statement_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("track_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("statement", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=True),
        sa.Column("listeners", sa.BigInteger(), nullable=True),
        sa.Column("saves", sa.BigInteger(), nullable=True),
        sa.Column("revenue_micros", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_statement_entries_track_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_entries")),
        sa.UniqueConstraint(
            "track_id",
            "source",
            "statement",
            "platform",
            "country",
            "period",
            "kind",
            "currency",
            name="uq_statement_entries_key",
        ),
    )
    op.create_table(
        "review_names",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("track", sa.String(), nullable=True),
        sa.Column("isrc", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("artist", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("track_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_review_names_track_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_names")),
        sa.UniqueConstraint("key", name=op.f("uq_review_names_key")),
    )
    op.create_table(
        "review_lines",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name_id", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["name_id"], ["review_names.id"], name=op.f("fk_review_lines_name_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_lines")),
        sa.UniqueConstraint("name_id", "form", "key", name=op.f("uq_review_lines_name_id_form_key")),
    )
    op.create_table(
        "artist_descriptions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("looked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artist_descriptions")),
        sa.UniqueConstraint("name", "source", name=op.f("uq_artist_descriptions_name_source")),
    )


def downgrade() -> None:
    """Undo it."""
    for table in ("artist_descriptions", "review_lines", "review_names", "statement_entries"):
        op.drop_table(table)
