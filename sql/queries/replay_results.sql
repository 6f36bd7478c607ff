-- How messages that were asked for have ended; null for those not taken in yet.
-- $1 dead_letter_ids. Index: dead_letter_pkey.
SELECT
    CASE WHEN replay_requested_at IS null THEN replay_result END AS result,
    count(*) AS messages
FROM dead_letter
WHERE dead_letter_id = any($1::bigint[])
GROUP BY 1
ORDER BY 1
