"""How Alembic runs a revision: over the connection that it is given, in that connection's transaction."""

from alembic import context

from exstream.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
)
context.run_migrations()
