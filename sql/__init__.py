"""The database: schema, migrations, named statements and connections."""
