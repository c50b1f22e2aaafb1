"""Bring a database to the tables that this version of the code knows."""

import threading
from functools import lru_cache

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ..ledger import LedgerError
from .schema import VERSION_TABLE

# Alembic keeps its context in a module's globals.
_one_at_a_time = threading.Lock()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "fractal_protections.portfolio.sql:migrations")
    return config


@lru_cache(maxsize=1)
def versions() -> tuple[str, ...]:
    """Return every version that this code knows, oldest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())[::-1]


def current_version(connection: Connection, name: str) -> str | None:
    """Return a database's version; None if it is empty.

    Raises
    ------
    LedgerError
        The database holds something else, or is of a newer version.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    found = None
    if VERSION_TABLE in tables:
        found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # a constant of ours
    if found is None:
        raise LedgerError(
            f"{name} holds another program's tables ({', '.join(sorted(tables)[:3])}, …): "
            "give the ledger a database of its own"
        )
    if found not in versions():
        raise LedgerError(
            f"the ledger {name} has version {found} and this code knows up to {versions()[-1]}: "
            "update FractalTrader here too"
        )
    return str(found)


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest version, inside the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")
