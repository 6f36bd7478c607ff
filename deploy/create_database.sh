#!/bin/sh
# Run once by the database image, on a new volume, before it listens on the network.
set -eu
PGUSER=postgres PGPASSWORD="$POSTGRES_PASSWORD" PGDATABASE=postgres \
    psql -X -q -f /etc/onelot/create_database.sql
