-- Delete some of the refused messages that were first received before a time; give how many.
-- $1 the time  $2 the most to delete
-- Index: dead_letter_received_at_idx, dead_letter_pkey.
WITH gone AS (
    DELETE FROM dead_letter
    WHERE
        dead_letter_id IN (
            SELECT o.dead_letter_id
            FROM dead_letter AS o
            WHERE o.received_at < $1
            ORDER BY o.received_at
            LIMIT $2
        )
    RETURNING dead_letter_id
)

SELECT count(*) AS gone FROM gone
