-- Note what became of a message that was taken in again.
-- $1 dead_letter_id  $2 now  $3 result. Index: dead_letter_pkey.
UPDATE dead_letter SET
    replay_requested_at = null,
    replayed_at = $2,
    replay_result = $3
WHERE dead_letter_id = $1
