"""experiments with a version of the profile; which version wrote a request; plans that stop early."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Do it; a request that is there already was written by the version that its cycle began with."""
    op.create_table(
        "experiments",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("cycle_id", sa.BigInteger(), nullable=False),
        sa.Column("before_id", sa.BigInteger(), nullable=False),
        sa.Column("changed_id", sa.BigInteger(), nullable=False),
        sa.Column("began", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="running", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("judged", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["artist_id"], ["artists.id"], name=op.f("fk_experiments_artist_id_artists")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], name=op.f("fk_experiments_cycle_id_cycles")),
        sa.ForeignKeyConstraint(
            ["before_id"], ["artist_profiles.id"], name=op.f("fk_experiments_before_id_artist_profiles")
        ),
        sa.ForeignKeyConstraint(
            ["changed_id"], ["artist_profiles.id"], name=op.f("fk_experiments_changed_id_artist_profiles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("cycle_id", name=op.f("uq_experiments_cycle_id")),
    )
    op.create_index(
        "uq_experiments_one_running",
        "experiments",
        ["artist_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.add_column("generations", sa.Column("profile_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_generations_profile_id_artist_profiles"), "generations", "artist_profiles", ["profile_id"], ["id"]
    )
    op.execute("UPDATE generations SET profile_id = cycles.profile_id FROM cycles WHERE cycles.id = cycle_id")
    op.add_column("evolution_plans", sa.Column("stopped", sa.String(), nullable=True))


def downgrade() -> None:
    """Undo it; a running experiment ends as if it had never been judged."""
    op.drop_column("evolution_plans", "stopped")
    op.drop_constraint(op.f("fk_generations_profile_id_artist_profiles"), "generations", type_="foreignkey")
    op.drop_column("generations", "profile_id")
    op.drop_index("uq_experiments_one_running", table_name="experiments", postgresql_where=sa.text("state = 'running'"))
    op.drop_table("experiments")
