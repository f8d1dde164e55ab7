"""what a take is known again by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Do it."""
    op.add_column("takes", sa.Column("fingerprint", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Undo it; fingerprints can be computed again from the audio."""
    op.drop_column("takes", "fingerprint")
