-- name: gateways(after, most, operator_id, gateway_id, data_state, since)
-- Gateways by gateway_id, from the one after `after` on, each with the health of its lots' feeds:
-- of an operator, with a lot in a state, or one by its id. Dead letters count from `since` on.
-- Index: gateway_pkey, lot_gateway_id_idx, dead_letter_gateway_id_last_received_at_idx.
SELECT
    g.gateway_id,
    g.operator_id,
    g.simulated,
    count(l.lot_id) AS lots,
    max(l.received_at) AS received_at,
    count(*) FILTER (WHERE l.data_state = 'live') AS live,
    count(*) FILTER (WHERE l.data_state = 'stale') AS stale,
    count(*) FILTER (WHERE l.data_state = 'estimated') AS estimated,
    count(*) FILTER (WHERE l.data_state = 'unknown') AS unknown, -- noqa: RF04
    coalesce(sum(l.capacity) FILTER (WHERE l.data_state = 'unknown'), 0) AS hidden_spaces,
    coalesce(
        array_agg(l.lot_id ORDER BY l.lot_id) FILTER (WHERE l.data_state IN ('stale', 'unknown')),
        '{}'
    ) AS lots_not_live,
    count(*) FILTER (WHERE l.transport = 'mqtt') AS lots_by_mqtt,
    count(*) FILTER (WHERE l.transport = 'http') AS lots_by_http,
    (
        SELECT count(*)
        FROM dead_letter AS d
        WHERE d.gateway_id = g.gateway_id AND d.last_received_at >= :since
    ) AS dead_letters_24h
FROM gateway AS g
LEFT JOIN lot_now AS l ON g.gateway_id = l.gateway_id
WHERE
    g.gateway_id > :after
    AND (:operator_id::text IS null OR g.operator_id = :operator_id)
    AND (:gateway_id::text IS null OR g.gateway_id = :gateway_id)
GROUP BY g.gateway_id
HAVING :data_state::text IS null OR bool_or(l.data_state = :data_state)
ORDER BY g.gateway_id
LIMIT :most;

-- name: lots(gateway_id, after, most, data_state)
-- A gateway's lots by lot_id, from the one after `after` on, each with the report that was applied
-- last; those in a state, or all. `silent_s` in whole seconds.
-- Index: lot_gateway_id_idx, lot_state_pkey.
SELECT
    lot_id,
    reporting,
    capacity,
    report_interval_s,
    timezone,
    data_state,
    epoch,
    seq,
    floor(date_part('epoch', greatest(now(), received_at) - received_at))::bigint AS silent_s,
    json_build_object('zh', name_zh, 'en', name_en) AS name,
    observed_at,
    received_at,
    age_s,
    transport
FROM lot_now
WHERE
    gateway_id = :gateway_id
    AND lot_id > :after
    AND (:data_state::text IS null OR data_state = :data_state)
ORDER BY lot_id
LIMIT :most;

-- name: refused(most, shown, least_id, greatest_id, gateway_ids, lot_id, reason, since, before)
-- Refused messages, the newest first, with the operator whose gateway sent them; null for none.
-- Their ids rise in the order of keeping. `gateway_ids` null is for all, also those that are not
-- registered. `since`: received, for the last time, then or later; `before`: for the first time
-- before then. `shown`: the most characters of topic, detail and payload.
-- Index: dead_letter_pkey from its end; dead_letter_gateway_id_last_received_at_idx where the
-- gateways have few; gateway_pkey.
SELECT
    d.dead_letter_id,
    left(d.topic, :shown) AS topic,
    d.gateway_id,
    g.operator_id,
    d.lot_id,
    d.epoch,
    d.seq,
    d.reason,
    left(d.detail, :shown) AS detail,
    d.times,
    d.received_at,
    d.last_received_at,
    left(d.payload, :shown) AS payload,
    d.payload_bytes,
    d.fault_at,
    greatest(char_length(d.topic), char_length(d.detail), char_length(d.payload)) > :shown
        AS truncated,
    d.reason = 'internal' AND d.whole AND coalesce(d.replay_result = 'rejected: internal', true)
        AS replayable,
    d.replayed_at,
    d.replay_result
FROM dead_letter AS d
LEFT JOIN gateway AS g ON d.gateway_id = g.gateway_id
WHERE
    d.dead_letter_id BETWEEN :least_id AND :greatest_id
    AND (:gateway_ids::text[] IS null OR d.gateway_id = any(:gateway_ids))
    AND (:lot_id::text IS null OR d.lot_id = :lot_id)
    AND (:reason::text IS null OR d.reason = :reason)
    AND (:since::timestamptz IS null OR d.last_received_at >= :since)
    AND (:before::timestamptz IS null OR d.received_at < :before)
ORDER BY d.dead_letter_id DESC
LIMIT :most;

-- name: gateway_ids(operator_id)
-- The gateways of an operator.
-- Index: gateway_operator_id_idx.
SELECT gateway_id
FROM gateway
WHERE operator_id = :operator_id;
