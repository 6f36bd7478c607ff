-- Messages that were refused by a fault of the platform, by gateway.
-- $1 gateway_id, or null for all  $2 received, for the last time, at this time or later, or null
-- Columns: those that can be taken in again; those that were; those that were then refused for
-- their own fault; those of which not all is kept.
-- Index: none, a command of operations reads the table whole.
SELECT
    d.gateway_id,
    count(*) FILTER (WHERE d.whole AND coalesce(d.replay_result = 'rejected: internal', true))
        AS replayable,
    count(*) FILTER (WHERE d.replay_result NOT LIKE 'rejected%') AS replayed,
    count(*) FILTER (
        WHERE d.replay_result LIKE 'rejected%' AND d.replay_result <> 'rejected: internal'
    ) AS refused,
    count(*) FILTER (WHERE NOT d.whole) AS masked
FROM dead_letter AS d
WHERE
    d.reason = 'internal'
    AND ($1::text IS null OR d.gateway_id = $1)
    AND ($2::timestamptz IS null OR d.last_received_at >= $2)
GROUP BY d.gateway_id
ORDER BY d.gateway_id
