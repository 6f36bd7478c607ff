-- Tell whoever listens on the channel `registry`, at COMMIT, to read lots and gateways again.
-- Parameters: none.
-- Index: none.
SELECT pg_notify('registry', '');
