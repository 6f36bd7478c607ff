-- One lot with its state; no row where there is no such lot.
-- $1 lot_id
-- Index: lot_pkey, lot_state_pkey.
SELECT
    lot_id,
    operator_id,
    district,
    zone_id,
    name_zh,
    name_en,
    lot_type,
    land_use,
    reporting,
    report_interval_s,
    levels,
    height_limit_m,
    opens_at,
    closes_at,
    timezone,
    capacity,
    free_spaces,
    unknown_spaces,
    free_standard,
    free_accessible,
    free_ev,
    free_large,
    version,
    observed_at,
    age_s,
    committed_at,
    data_state,
    status,
    st_x(geog::geometry) AS longitude,
    st_y(geog::geometry) AS latitude
FROM lot_now
WHERE lot_id = $1
