-- A page of lots by lot_id, each with its state.
-- $1 lot_id to start after; '' from the first
-- $2 the most lots to give
-- $3, $4, $5, $6 box in degrees, west, south, east, north, edges included; or all null
-- $7 district (adcode), $8 zone_id, $9 operator_id, $10 lot_type, $11 status: each or null
-- $12, $13 start and end of the stay through which a lot must be open, or null
-- Index: lot_pkey for order and start. The box is tried on each lot in passing: a rectangle of
-- longitude and latitude is not a shape of geography, whose edges are great circles.
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
WHERE
    lot_id > $1
    AND (
        $3::double precision IS null
        OR (
            st_x(geog::geometry) BETWEEN $3 AND $5::double precision
            AND st_y(geog::geometry) BETWEEN $4::double precision AND $6::double precision
        )
    )
    AND ($7::text IS null OR district = $7)
    AND ($8::text IS null OR zone_id = $8)
    AND ($9::text IS null OR operator_id = $9)
    AND ($10::text IS null OR lot_type = $10)
    AND ($11::text IS null OR status = $11)
    AND (
        $12::timestamptz IS null
        OR closes_within(opens_at, closes_at, timezone, $12, $13::timestamptz) IS null
    )
ORDER BY lot_id
LIMIT $2
