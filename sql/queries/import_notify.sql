-- Tell whoever listens on the channel `registry`, at COMMIT, to read lots and gateways again.
-- Parameters: $1 the lots' ids, separated by spaces; none for all lots.
-- Index: none.
SELECT pg_notify('registry', $1);
