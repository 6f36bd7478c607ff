-- A page of a gateway's lots by lot_id, each with the report that was applied last.
-- $1 lot_id to start after; '' from the first  $2 the most lots to give
-- $3 gateway_id  $4 data_state, or null
-- Index: lot_gateway_id_idx, lot_state_pkey.
SELECT
    lot_id,
    name_zh,
    name_en,
    reporting,
    report_interval_s,
    timezone,
    data_state,
    epoch,
    seq,
    observed_at,
    age_s,
    received_at,
    floor(date_part('epoch', greatest(now(), received_at) - received_at))::bigint AS silent_s
FROM lot_now
WHERE
    gateway_id = $3
    AND lot_id > $1
    AND ($4::text IS null OR data_state = $4)
ORDER BY lot_id
LIMIT $2
