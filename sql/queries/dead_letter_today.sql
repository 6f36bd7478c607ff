-- How many refused messages are kept since a time, by gateway; '' for all that nobody registered.
-- $1 the time. Index: dead_letter_received_at_idx.
SELECT
    coalesce(g.gateway_id, '') AS gateway_id,
    count(*) AS kept
FROM dead_letter AS d
LEFT JOIN gateway AS g ON d.gateway_id = g.gateway_id
WHERE d.received_at >= $1
GROUP BY g.gateway_id
