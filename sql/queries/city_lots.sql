-- Every lot as registered and as last reported, for the copy of the city in memory.
-- No parameters.
-- Index: none; reads every lot once.
SELECT
    n.lot_id,
    n.operator_id,
    n.district,
    n.zone_id,
    n.name_zh,
    n.name_en,
    n.lot_type,
    n.land_use,
    n.reporting,
    n.report_interval_s,
    n.levels,
    n.height_limit_m,
    n.opens_at,
    n.closes_at,
    n.timezone,
    n.version,
    n.observed_at,
    n.committed_at,
    l.capacity AS registered_capacity,
    s.capacity,
    s.free_spaces,
    s.unknown_spaces,
    s.free_standard,
    s.free_accessible,
    s.free_ev,
    s.free_large,
    d.name_zh AS district_zh,
    d.name_en AS district_en,
    st_x(n.geog::geometry) AS longitude,
    st_y(n.geog::geometry) AS latitude
FROM lot_now AS n
INNER JOIN lot AS l ON n.lot_id = l.lot_id
LEFT JOIN lot_state AS s ON n.lot_id = s.lot_id
LEFT JOIN district AS d ON n.district = d.adcode
ORDER BY n.lot_id
