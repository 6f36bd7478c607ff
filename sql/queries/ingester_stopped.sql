-- Note why the ingester takes no messages; the time of the same reason stays.
-- $1 the ingester  $2 `internal` or `clock`, null where it takes them
-- Index: ingester_status_pkey.
INSERT INTO ingester_status AS i (ingester, stopped, stopped_at)
VALUES ($1, $2, CASE WHEN $2::text IS NOT NULL THEN clock_timestamp() END)
ON CONFLICT (ingester) DO UPDATE SET
    stopped = excluded.stopped,
    stopped_at = excluded.stopped_at
WHERE i.stopped IS DISTINCT FROM excluded.stopped
