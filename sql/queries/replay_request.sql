-- Ask for messages that were refused by a fault of the platform to be taken in again.
-- $1 gateway_id, or null for all  $2 received, for the last time, at this time or later, or null
-- $3 now. Index: none, a command of operations reads the table whole.
UPDATE dead_letter AS d SET
    replay_requested_at = $3
WHERE
    d.reason = 'internal' AND d.whole
    AND coalesce(d.replay_result = 'rejected: internal', true)
    AND ($1::text IS null OR d.gateway_id = $1)
    AND ($2::timestamptz IS null OR d.last_received_at >= $2)
RETURNING d.dead_letter_id
