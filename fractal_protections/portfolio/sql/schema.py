"""Tables of the ledger. A change here needs a migration beside it, which a test demands."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from .column_types import Amount, Moment

VERSION_TABLE = "ledger_version"
"""Alembic's table. Its usual name would clash with another program's in a shared database."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# One row: what there is only one of. `ledger_id` tells this ledger from one put in its place.
meta = Table(
    "meta",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    Column("ledger_id", String(32), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("state_by", Text, nullable=False),
    Column("state_at", Moment),
    Column("daily_loss_on", Date),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("equity", Amount, nullable=False),
    Column("profit", Amount, nullable=False),
    Column("peak_equity", Amount, nullable=False),
    Column("day", Date, nullable=False),
    Column("day_start_equity", Amount, nullable=False),
    Column("day_start_profit", Amount, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # Time of the latest row of equity_snapshots, so that a report needs no query to know it.
    Column("snapshot_at", Moment, nullable=False),
)

equity_snapshots = Table(
    "equity_snapshots",
    metadata,
    Column("account", Text, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("equity", Amount, nullable=False),
    Column("peak", Amount, nullable=False),
    Index(None, "at"),
)

bots = Table(
    "bots",
    metadata,
    Column("bot", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.account"), nullable=False),
    Column("reported_at", Moment, nullable=False),
    Column("balance", Amount, nullable=False),
    Column("realised_profit", Amount, nullable=False),
    Column("open_profit", Amount, nullable=False),
    Column("clusters", JSON, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("bot", Text, ForeignKey("bots.bot"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("pair", Text, nullable=False),
    Column("side", Integer, nullable=False),
    Column("margin", Amount, nullable=False),
    Column("notional", Amount, nullable=False),
    Column("entered_at", Moment, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("number", Integer, primary_key=True),
    # Random, so that a bot's old id can never mean a reservation of a newer ledger.
    Column("id", String(32), nullable=False, unique=True),
    Column("bot", Text, nullable=False),
    Column("pair", Text, nullable=False),
    Column("side", Integer, nullable=False),
    Column("margin", Amount, nullable=False),
    Column("notional", Amount, nullable=False),
    Column("loss_at_stop", Amount, nullable=False),
    Column("confidence", Float(53), nullable=False),
    Column("at", Moment, nullable=False),
    Column("is_addition", Boolean, nullable=False),
    Column("ambiguous", Boolean, nullable=False),
    Column("capital_until", Moment, nullable=False),
    sqlite_autoincrement=True,
)

fences = Table(
    "fences",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("bot", Text, nullable=False),
    Column("since", Moment, nullable=False),
)

drifts = Table(
    "drifts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("pair", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("confirmed", Boolean, nullable=False),
)

# The latest look at each account, whose age tells whether anybody still looks.
looks = Table(
    "looks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("result", String(16), nullable=False),
    Column("interval_seconds", Float(53)),
)

closed_trades = Table(
    "closed_trades",
    metadata,
    Column("bot", Text, primary_key=True),
    Column("trade_id", Integer, primary_key=True, autoincrement=False),
    Column("pair", Text, nullable=False),
    Column("closed_at", Moment, nullable=False),
    Column("profit", Amount, nullable=False),
    Index(None, "closed_at", "trade_id"),
)

denials = Table(
    "denials",
    metadata,
    Column("bot", Text, primary_key=True),
    Column("pair", Text, primary_key=True),
    Column("side", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, primary_key=True),
    # A key can not be NULL: what has no candle stands at denial_log.NO_CANDLE.
    Column("candle", Moment, primary_key=True),
    Column("message", Text, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    Index(None, "last_at"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("bot", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("pair", Text),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
