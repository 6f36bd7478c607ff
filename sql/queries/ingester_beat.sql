-- Note that a heartbeat has come through the broker and is being committed.
-- $1 the ingester
-- Index: ingester_status_pkey.
INSERT INTO ingester_status AS i (ingester, heartbeat_at)
VALUES ($1, clock_timestamp())
ON CONFLICT (ingester) DO UPDATE SET heartbeat_at = excluded.heartbeat_at
