-- Messages that are to be taken in again: those of a lot in their own order.
-- $1 the most to give. Index: dead_letter_replay_idx, in its order.
SELECT
    dead_letter_id,
    topic,
    payload,
    received_at
FROM dead_letter
WHERE replay_requested_at IS NOT null
ORDER BY lot_id, epoch, seq
LIMIT $1
