"""what artists play, profiles of countries, forecasts of tracks, comparisons with competitors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "artist_genres",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("artist", sa.String(length=300), nullable=False),
        sa.Column("genre", sa.String(length=64), nullable=True),
        sa.Column("country", sa.String(length=6), nullable=True),
        sa.Column("file", sa.String(length=300), nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artist_genres")),
        sa.UniqueConstraint("source", "artist", name=op.f("uq_artist_genres_source_artist")),
    )
    op.create_table(
        "country_profiles",
        *_chart(),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_country_profiles")),
        sa.UniqueConstraint(
            "source", "chart", "country", "day", name=op.f("uq_country_profiles_source_chart_country_day")
        ),
    )
    op.create_table(
        "viral_trends",
        *_chart(),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("track_title", sa.String(), nullable=False),
        sa.Column("artist_names", sa.String(), nullable=False),
        sa.Column("velocity", sa.Float(), nullable=False),
        sa.Column("rising", sa.Boolean(), nullable=False),
        sa.Column("expected_position", sa.Integer(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("peak_position", sa.Integer(), nullable=False),
        sa.Column("peak_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_viral_trends")),
        sa.UniqueConstraint(
            "source",
            "chart",
            "country",
            "day",
            "position",
            name=op.f("uq_viral_trends_source_chart_country_day_position"),
        ),
    )
    op.create_table(
        "competitor_analysis",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("cycle_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("numbers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("aims", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sentences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prompt", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("llm_call_id", sa.BigInteger(), nullable=True),
        sa.Column("worded", sa.Boolean(), server_default="false", nullable=False),
        _created(),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_competitor_analysis_artist_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_competitor_analysis_cycle_id")),
        sa.ForeignKeyConstraint(["llm_call_id"], ["llm_calls.id"], name=op.f("fk_competitor_analysis_llm_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competitor_analysis")),
        sa.UniqueConstraint("cycle_id", name=op.f("uq_competitor_analysis_cycle_id")),
    )
    op.create_index(op.f("ix_competitor_analysis_artist_id"), "competitor_analysis", ["artist_id"])


def downgrade() -> None:
    """Undo it."""
    op.drop_index(op.f("ix_competitor_analysis_artist_id"), table_name="competitor_analysis")
    for table in ("competitor_analysis", "viral_trends", "country_profiles", "artist_genres"):
        op.drop_table(table)


def _chart() -> list["sa.Column[object]"]:
    return [
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("chart", sa.String(length=32), nullable=False),
        sa.Column("country", sa.String(length=6), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
    ]


def _created() -> "sa.Column[object]":
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
