-- Bring the table lot to what is staged; count what was new and what changed. The zone is not set
-- here (import_lot_zones), and the state of a lot is not touched.
-- Parameters: none; reads the temporary table staged_lot.
-- Index: lot_pkey.
WITH written AS (
    INSERT INTO lot AS l (
        lot_id, operator_id, gateway_id, district, name_zh, name_en, lot_type, land_use, reporting,
        report_interval_s, capacity, levels, height_limit_m, opens_at, closes_at, timezone, geog
    )
    SELECT
        s.lot_id,
        s.operator_id,
        s.gateway_id,
        s.district,
        s.name_zh,
        s.name_en,
        s.lot_type,
        s.land_use,
        s.reporting,
        s.report_interval_s,
        s.capacity,
        s.levels,
        s.height_limit_m,
        s.opens_at,
        s.closes_at,
        s.timezone,
        s.geog
    FROM staged_lot AS s
    ORDER BY s.lot_id
    ON CONFLICT (lot_id) DO UPDATE
        SET
            operator_id = excluded.operator_id,
            gateway_id = excluded.gateway_id,
            district = excluded.district,
            name_zh = excluded.name_zh,
            name_en = excluded.name_en,
            lot_type = excluded.lot_type,
            land_use = excluded.land_use,
            reporting = excluded.reporting,
            report_interval_s = excluded.report_interval_s,
            capacity = excluded.capacity,
            levels = excluded.levels,
            height_limit_m = excluded.height_limit_m,
            opens_at = excluded.opens_at,
            closes_at = excluded.closes_at,
            timezone = excluded.timezone,
            geog = excluded.geog
        WHERE (
            l.operator_id, l.gateway_id, l.district, l.name_zh, l.name_en, l.lot_type, l.land_use,
            l.reporting, l.report_interval_s, l.capacity, l.levels, l.height_limit_m, l.opens_at,
            l.closes_at, l.timezone, l.geog
        ) IS DISTINCT FROM (
            excluded.operator_id, excluded.gateway_id, excluded.district, excluded.name_zh,
            excluded.name_en, excluded.lot_type, excluded.land_use, excluded.reporting,
            excluded.report_interval_s, excluded.capacity, excluded.levels,
            excluded.height_limit_m, excluded.opens_at, excluded.closes_at, excluded.timezone,
            excluded.geog
        )
    RETURNING (l.xmax = 0) AS is_new
)

SELECT
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;
