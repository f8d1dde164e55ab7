"""which account sent a request, and when; readings of balances; budgets of single cycles."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Do it."""
    op.add_column("generations", sa.Column("account", sa.String(length=64), nullable=True))
    op.add_column("generations", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("generations", sa.Column("pending_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE generations SET sent_at = submitted_at")
    op.drop_index("ix_generations_submitted", table_name="generations")
    op.create_index("ix_generations_completed", "generations", ["provider", "completed_at"])
    op.create_index("ix_generations_sent", "generations", ["account", "sent_at"])
    op.create_index(
        "uq_generations_provider_task",
        "generations",
        ["provider", "provider_task_id"],
        unique=True,
        postgresql_where=sa.text("provider_task_id IS NOT NULL"),
    )
    op.alter_column("budgets", "period", type_=sa.String(length=32), existing_nullable=False)
    op.create_table(
        "balance_readings",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_readings")),
    )
    op.create_index("ix_balance_readings_account_read_at", "balance_readings", ["account", "read_at"])


def downgrade() -> None:
    """Undo it; budgets of single cycles have no place in the older table."""
    op.drop_index("ix_balance_readings_account_read_at", table_name="balance_readings")
    op.drop_table("balance_readings")
    op.execute("DELETE FROM budget_entries USING budgets WHERE budgets.id = budget_id AND period LIKE 'cycle%'")
    op.execute("DELETE FROM budgets WHERE period LIKE 'cycle%'")
    op.alter_column("budgets", "period", type_=sa.String(length=7), existing_nullable=False)
    op.drop_index("ix_generations_sent", table_name="generations")
    op.drop_index("ix_generations_completed", table_name="generations")
    op.create_index("ix_generations_submitted", "generations", ["provider", "submitted_at"])
    op.drop_index(
        "uq_generations_provider_task",
        table_name="generations",
        postgresql_where=sa.text("provider_task_id IS NOT NULL"),
    )
    for name in ("pending_at", "sent_at", "account"):
        op.drop_column("generations", name)
