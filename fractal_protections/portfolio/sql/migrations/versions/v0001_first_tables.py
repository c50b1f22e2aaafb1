"""The ledger's first tables.

Written out, not taken from `sql.schema`: this step must stay what it was when the schema moves on.
"""

import sqlalchemy as sa
from alembic import op

from fractal_protections.portfolio.sql.column_types import Amount, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("equity", Amount(), nullable=False),
        sa.Column("profit", Amount(), nullable=False),
        sa.Column("peak_equity", Amount(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_start_equity", Amount(), nullable=False),
        sa.Column("day_start_profit", Amount(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("snapshot_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
    )
    op.create_table(
        "closed_trades",
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("trade_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=False),
        sa.Column("profit", Amount(), nullable=False),
        sa.PrimaryKeyConstraint("bot", "trade_id", name=op.f("pk_closed_trades")),
    )
    op.create_index(
        op.f("ix_closed_trades_closed_at_trade_id"), "closed_trades", ["closed_at", "trade_id"]
    )
    op.create_table(
        "denials",
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("candle", Moment(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("first_at", Moment(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bot", "pair", "side", "code", "candle", name=op.f("pk_denials")),
    )
    op.create_index(op.f("ix_denials_last_at"), "denials", ["last_at"])
    op.create_table(
        "equity_snapshots",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("equity", Amount(), nullable=False),
        sa.Column("peak", Amount(), nullable=False),
        sa.PrimaryKeyConstraint("account", "at", name=op.f("pk_equity_snapshots")),
    )
    op.create_index(op.f("ix_equity_snapshots_at"), "equity_snapshots", ["at"])
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "fences",
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_fences")),
    )
    op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ledger_id", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=False),
        sa.Column("state_by", sa.Text(), nullable=False),
        sa.Column("state_at", Moment(), nullable=True),
        sa.Column("daily_loss_on", sa.Date(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_meta_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meta")),
    )
    op.create_table(
        "reservations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("margin", Amount(), nullable=False),
        sa.Column("notional", Amount(), nullable=False),
        sa.Column("loss_at_stop", Amount(), nullable=False),
        sa.Column("confidence", sa.Float(precision=53), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("is_addition", sa.Boolean(), nullable=False),
        sa.Column("ambiguous", sa.Boolean(), nullable=False),
        sa.Column("capital_until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reservations")),
        sa.UniqueConstraint("id", name=op.f("uq_reservations_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "bots",
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reported_at", Moment(), nullable=False),
        sa.Column("balance", Amount(), nullable=False),
        sa.Column("realised_profit", Amount(), nullable=False),
        sa.Column("open_profit", Amount(), nullable=False),
        sa.Column("clusters", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name=op.f("fk_bots_account")),
        sa.PrimaryKeyConstraint("bot", name=op.f("pk_bots")),
    )
    op.create_table(
        "positions",
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("margin", Amount(), nullable=False),
        sa.Column("notional", Amount(), nullable=False),
        sa.Column("entered_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["bot"], ["bots.bot"], name=op.f("fk_positions_bot")),
        sa.PrimaryKeyConstraint("bot", "place", name=op.f("pk_positions")),
    )
