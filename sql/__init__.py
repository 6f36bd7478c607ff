"""The one home of the database: tables, migrations, named queries, connections."""
