-- Refused messages, the newest first, with the operator whose gateway sent them; null for none.
-- $1, $2 the least and the greatest dead_letter_id: they rise in the order of keeping
-- $3 the most messages to give
-- $4 gateway_ids, or null for all, also those of gateways that are not registered
-- $5 lot_id, $6 reason: each or null
-- $7 received, for the last time, at this time or later, or null
-- $8 received, for the first time, before this time, or null
-- $9 the most characters of topic, detail and payload
-- Index: dead_letter_pkey from its end; dead_letter_gateway_id_last_received_at_idx where the
-- gateways have few; gateway_pkey.
SELECT
    d.dead_letter_id,
    left(d.topic, $9) AS topic,
    d.gateway_id,
    g.operator_id,
    d.lot_id,
    d.epoch,
    d.seq,
    d.reason,
    left(d.detail, $9) AS detail,
    d.times,
    d.received_at,
    d.last_received_at,
    left(d.payload, $9) AS payload,
    d.payload_bytes,
    d.fault_at,
    char_length(d.topic) > $9 OR char_length(d.detail) > $9 OR char_length(d.payload) > $9
        AS truncated,
    d.reason = 'internal' AND d.whole AND coalesce(d.replay_result = 'rejected: internal', true)
        AS replayable,
    d.replayed_at,
    d.replay_result
FROM dead_letter AS d
LEFT JOIN gateway AS g ON d.gateway_id = g.gateway_id
WHERE
    d.dead_letter_id BETWEEN $1 AND $2
    AND ($4::text[] IS null OR d.gateway_id = any($4))
    AND ($5::text IS null OR d.lot_id = $5)
    AND ($6::text IS null OR d.reason = $6)
    AND ($7::timestamptz IS null OR d.last_received_at >= $7)
    AND ($8::timestamptz IS null OR d.received_at < $8)
ORDER BY d.dead_letter_id DESC
LIMIT $3
