-- The lots of these ids as an import would write them, every value as text.
-- Parameters: $1 lot ids, text[].
-- Index: lot_pkey.
SELECT
    lot_id,
    operator_id,
    gateway_id,
    name_zh,
    name_en,
    lot_type,
    land_use,
    reporting,
    report_interval_s::text AS report_interval_s,
    levels::text AS levels,
    height_limit_m::text AS height_limit_m,
    to_char(opens_at, 'HH24:MI') AS opens_at,
    to_char(closes_at, 'HH24:MI') AS closes_at,
    timezone
FROM lot
WHERE lot_id = any($1::text[]);
