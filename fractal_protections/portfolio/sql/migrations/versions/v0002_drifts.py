"""Marks of drift between a venue and its databases, and the looks that write them."""

import sqlalchemy as sa
from alembic import op

from fractal_protections.portfolio.sql.column_types import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "drifts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("last_seen", Moment(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account", "pair", name=op.f("pk_drifts")),
    )
    op.create_table(
        "looks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("interval_seconds", sa.Float(precision=53), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_looks")),
    )
