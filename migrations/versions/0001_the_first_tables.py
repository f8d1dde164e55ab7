"""the first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "artists",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("countries", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy", sa.String(length=16), server_default="learned", nullable=False),
        sa.Column("release_rule", sa.String(length=16), server_default="manual", nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("cycle_every_days", sa.Double(), nullable=True),
        sa.Column("next_cycle_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artists")),
        sa.UniqueConstraint("name", name=op.f("uq_artists_name")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_subject"), "audit_log", ["subject"], unique=False)
    op.create_table(
        "chart_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("chart", sa.String(length=32), nullable=False),
        sa.Column("country", sa.String(length=6), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("track_title", sa.String(), nullable=False),
        sa.Column("artist_names", sa.String(), nullable=False),
        sa.Column("uri", sa.String(), nullable=True),
        sa.Column("streams", sa.BigInteger(), nullable=True),
        sa.Column("previous_position", sa.Integer(), nullable=True),
        sa.Column("peak_position", sa.Integer(), nullable=True),
        sa.Column("periods_on_chart", sa.Integer(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("file", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_entries")),
        sa.UniqueConstraint(
            "source",
            "chart",
            "country",
            "day",
            "position",
            name=op.f("uq_chart_entries_source_chart_country_day_position"),
        ),
    )
    op.create_index("ix_chart_entries_day", "chart_entries", ["day"], unique=False, postgresql_using="brin")
    op.create_table(
        "trend_analysis",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trend_analysis")),
        sa.UniqueConstraint("kind", "scope", "basis", name=op.f("uq_trend_analysis_kind_scope_basis")),
    )
    op.create_table(
        "artist_profiles",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=True),
        sa.Column("llm_call_id", sa.BigInteger(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_artist_profiles_artist_id")),
        sa.ForeignKeyConstraint(
            ["llm_call_id"], ["llm_calls.id"], name=op.f("fk_artist_profiles_llm_call_id"), use_alter=True
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["artist_profiles.id"], name=op.f("fk_artist_profiles_parent_id")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["evolution_plans.id"], name=op.f("fk_artist_profiles_plan_id"), use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artist_profiles")),
        sa.UniqueConstraint("artist_id", "version", name=op.f("uq_artist_profiles_artist_id_version")),
    )
    op.create_index(
        "uq_artist_profiles_plan_kind",
        "artist_profiles",
        ["plan_id", "kind"],
        unique=True,
        postgresql_where=sa.text("plan_id IS NOT NULL"),
    )
    op.create_table(
        "budgets",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("soft_limit", sa.BigInteger(), nullable=True),
        sa.Column("hard_limit", sa.BigInteger(), nullable=True),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_budgets_artist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sa.UniqueConstraint("artist_id", "unit", "period", name=op.f("uq_budgets_artist_id_unit_period")),
    )
    op.create_table(
        "budget_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("budget_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["budget_id"], ["budgets.id"], name=op.f("fk_budget_entries_budget_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_entries")),
    )
    op.create_index(op.f("ix_budget_entries_budget_id"), "budget_entries", ["budget_id"], unique=False)
    op.create_index(op.f("ix_budget_entries_subject"), "budget_entries", ["subject"], unique=False)
    op.create_table(
        "cycles",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="running", nullable=False),
        sa.Column("stage", sa.String(length=16), server_default="brief", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body_sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_cycles_artist_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["artist_profiles.id"], name=op.f("fk_cycles_profile_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycles")),
        sa.UniqueConstraint("artist_id", "number", name=op.f("uq_cycles_artist_id_number")),
    )
    op.create_index(
        "uq_cycles_one_running", "cycles", ["artist_id"], unique=True, postgresql_where=sa.text("state = 'running'")
    )
    op.create_table(
        "evolution_plans",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("cycle_id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("analysis_id", sa.BigInteger(), nullable=True),
        sa.Column("policy", sa.String(length=16), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("market", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["trend_analysis.id"], name=op.f("fk_evolution_plans_analysis_id")),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_evolution_plans_artist_id")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_evolution_plans_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evolution_plans")),
        sa.UniqueConstraint("cycle_id", name=op.f("uq_evolution_plans_cycle_id")),
    )
    op.create_index(op.f("ix_evolution_plans_artist_id"), "evolution_plans", ["artist_id"], unique=False)
    op.create_table(
        "generations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("cycle_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.String(length=16), server_default="intended", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("asked_genre", sa.String(length=64), nullable=False),
        sa.Column("asked_values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("why_asked", sa.String(), nullable=False),
        sa.Column("brief", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.Column("submit_token", sa.Uuid(), nullable=True),
        sa.Column("submit_deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_task_id", sa.String(length=128), nullable=True),
        sa.Column("credits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_generations_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
        sa.UniqueConstraint("cycle_id", "slot", "attempt", name=op.f("uq_generations_cycle_id_slot_attempt")),
        sa.UniqueConstraint("reference", name=op.f("uq_generations_reference")),
    )
    op.create_index("ix_generations_submitted", "generations", ["provider", "submitted_at"], unique=False)
    op.create_index(
        "ix_generations_unfinished",
        "generations",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "llm_calls",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("cycle_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="sent", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reply", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("input_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cached_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_llm_calls_cycle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_calls")),
        sa.UniqueConstraint("cycle_id", "purpose", "attempt", name=op.f("uq_llm_calls_cycle_id_purpose_attempt")),
    )
    op.create_table(
        "takes",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="announced", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("provider_id", sa.String(length=128), nullable=False),
        sa.Column("source_url", sa.String(), nullable=False),
        sa.Column("announced_s", sa.Double(), nullable=True),
        sa.Column("fetch_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("listen_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("audio_key", sa.String(length=128), nullable=True),
        sa.Column("audio_bytes", sa.BigInteger(), nullable=True),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], name=op.f("fk_takes_generation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takes")),
        sa.UniqueConstraint("generation_id", "number", name=op.f("uq_takes_generation_id_number")),
    )
    op.create_table(
        "tracks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("take_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("isrc", sa.String(length=12), nullable=True),
        sa.Column("genre", sa.String(length=64), nullable=False),
        sa.Column("asked_values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("realised_values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("extractor", sa.String(length=64), nullable=False),
        sa.Column("tempo_bpm", sa.Double(), nullable=False),
        sa.Column("key", sa.String(length=4), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("loudness_lufs", sa.Double(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("audio_key", sa.String(length=128), nullable=False),
        sa.Column("rights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("disclosure", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_tracks_artist_id")),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], name=op.f("fk_tracks_generation_id")),
        sa.ForeignKeyConstraint(["take_id"], ["takes.id"], name=op.f("fk_tracks_take_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("generation_id", name=op.f("uq_tracks_generation_id")),
        sa.UniqueConstraint("isrc", name=op.f("uq_tracks_isrc")),
        sa.UniqueConstraint("take_id", name=op.f("uq_tracks_take_id")),
    )
    op.create_index(op.f("ix_tracks_artist_id"), "tracks", ["artist_id"], unique=False)
    op.create_table(
        "performance_metrics",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("track_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("country", sa.String(length=6), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("streams", sa.BigInteger(), nullable=False),
        sa.Column("listeners", sa.BigInteger(), nullable=True),
        sa.Column("saves", sa.BigInteger(), nullable=True),
        sa.Column("skips", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("engagement_rate", sa.Double(), nullable=True),
        sa.Column("revenue_micros", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_performance_metrics_track_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance_metrics")),
        sa.UniqueConstraint(
            "track_id", "platform", "country", "day", name=op.f("uq_performance_metrics_track_id_platform_country_day")
        ),
    )
    op.create_index("ix_performance_metrics_day", "performance_metrics", ["day"], unique=False, postgresql_using="brin")
    op.create_table(
        "releases",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("track_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("now() + interval '1 minute'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["track_id"], ["tracks.id"], name=op.f("fk_releases_track_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("track_id", name=op.f("uq_releases_track_id")),
    )
    for column, table in (("plan_id", "evolution_plans"), ("llm_call_id", "llm_calls")):
        op.create_foreign_key(f"fk_artist_profiles_{column}", "artist_profiles", table, [column], ["id"])


def downgrade() -> None:
    """Undo it."""
    for column in ("plan_id", "llm_call_id"):
        op.drop_constraint(f"fk_artist_profiles_{column}", "artist_profiles")
    op.drop_table("releases")
    op.drop_index("ix_performance_metrics_day", table_name="performance_metrics", postgresql_using="brin")
    op.drop_table("performance_metrics")
    op.drop_index(op.f("ix_tracks_artist_id"), table_name="tracks")
    op.drop_table("tracks")
    op.drop_table("takes")
    op.drop_table("llm_calls")
    op.drop_index(
        "ix_generations_unfinished", table_name="generations", postgresql_where=sa.text("finished_at IS NULL")
    )
    op.drop_index("ix_generations_submitted", table_name="generations")
    op.drop_table("generations")
    op.drop_index(op.f("ix_evolution_plans_artist_id"), table_name="evolution_plans")
    op.drop_table("evolution_plans")
    op.drop_index("uq_cycles_one_running", table_name="cycles", postgresql_where=sa.text("state = 'running'"))
    op.drop_table("cycles")
    op.drop_index(op.f("ix_budget_entries_subject"), table_name="budget_entries")
    op.drop_index(op.f("ix_budget_entries_budget_id"), table_name="budget_entries")
    op.drop_table("budget_entries")
    op.drop_table("budgets")
    op.drop_index(
        "uq_artist_profiles_plan_kind", table_name="artist_profiles", postgresql_where=sa.text("plan_id IS NOT NULL")
    )
    op.drop_table("artist_profiles")
    op.drop_table("trend_analysis")
    op.drop_index("ix_chart_entries_day", table_name="chart_entries", postgresql_using="brin")
    op.drop_table("chart_entries")
    op.drop_index(op.f("ix_audit_log_subject"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("artists")
