"""What Alembic runs; the connection, with its transaction and lock, is the caller's."""

from alembic import context

from fractal_protections.portfolio.sql.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
