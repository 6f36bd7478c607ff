-- name: totals()
-- The city's totals and its districts', in one snapshot. The row of the whole city has is_city;
-- lots outside every district, where there are any, are the row with neither that nor an adcode.
-- Index: none; reads every lot once.
WITH total AS (
    SELECT
        district,
        grouping(district) = 1 AS is_city,
        count(*) AS lots,
        coalesce(sum(capacity), 0) AS capacity,
        coalesce(sum(free_spaces), 0) AS free_spaces,
        coalesce(sum(unknown_spaces) FILTER (WHERE data_state <> 'unknown'), 0)
            AS unknown_spaces,
        1 - sum(free_spaces)::double precision
        / nullif(sum(capacity - unknown_spaces), 0) AS occupancy,
        count(*) FILTER (WHERE data_state = 'live') AS lots_live,
        count(*) FILTER (WHERE data_state = 'stale') AS lots_stale,
        count(*) FILTER (WHERE data_state = 'unknown') AS lots_unknown,
        max(committed_at) AS as_of
    FROM lot_now
    GROUP BY GROUPING SETS ((district), ())
)

SELECT
    coalesce(t.is_city, false) AS is_city,
    d.adcode,
    d.name_zh,
    d.name_en,
    coalesce(t.lots, 0) AS lots,
    coalesce(t.capacity, 0) AS capacity,
    coalesce(t.free_spaces, 0) AS free_spaces,
    coalesce(t.unknown_spaces, 0) AS unknown_spaces,
    t.occupancy,
    coalesce(t.lots_live, 0) AS lots_live,
    coalesce(t.lots_stale, 0) AS lots_stale,
    coalesce(t.lots_unknown, 0) AS lots_unknown,
    t.as_of
FROM total AS t
FULL JOIN district AS d ON t.district = d.adcode AND NOT t.is_city
ORDER BY d.adcode;

-- name: readiness(heartbeat_within)
-- Whether the city is whole, and the ingester at work: its heartbeat at most so old, an interval.
-- Index: none; reads every lot once.
SELECT
    c.lots,
    c.lots_awaited,
    i.stopped,
    coalesce(i.heartbeat_at >= now() - :heartbeat_within::interval, false) AS is_beating
FROM (
    SELECT
        count(*) AS lots,
        count(*) FILTER (WHERE g.simulated AND s.lot_id IS null) AS lots_awaited
    FROM lot AS l
    INNER JOIN gateway AS g ON l.gateway_id = g.gateway_id
    LEFT JOIN lot_state AS s ON l.lot_id = s.lot_id
    WHERE l.retired_at IS null
) AS c
LEFT JOIN ingester_status AS i ON i.ingester = 'ingester';

-- name: applied()
-- How many bays and counts the ingester had applied, from its start until its newest heartbeat, and
-- when that was; nulls, or no row, before the first.
-- Index: ingester_status_pkey.
SELECT
    heartbeat_at,
    observations
FROM ingester_status
WHERE ingester = 'ingester';

-- name: newest_commit()
-- The newest commit of any lot's state; null before the first.
-- Index: none; reads every state once.
SELECT max(committed_at)
FROM lot_state;

-- name: all_lots(after, most, lot_ids)
-- Lots that are not retired, as registered and as last reported, for the copy of the city in memory:
-- a page by lot_id, from the one after `after` on; of some lots, where `lot_ids` is not null.
-- Index: lot_pkey, lot_state_pkey.
SELECT
    l.zone_id, l.name_zh, l.name_en, l.lot_type, l.opens_at, l.closes_at, l.timezone, l.closed_from,
    l.closed_until, s.observed_at, st_x(l.geog::geometry) AS longitude,
    st_y(l.geog::geometry) AS latitude, l.lot_id, l.operator_id, l.district, l.land_use,
    l.reporting, l.report_interval_s, l.levels, l.height_limit_m, l.closed_reason, s.version,
    s.committed_at, s.free_standard, s.free_accessible, s.free_ev, s.free_large,
    l.capacity AS registered_capacity, s.capacity, s.free_spaces, s.unknown_spaces,
    s.occupied_bits, s.unknown_bits
FROM lot AS l
LEFT JOIN lot_state AS s ON l.lot_id = s.lot_id
WHERE
    l.lot_id > :after
    AND l.retired_at IS null
    AND (:lot_ids::text[] IS null OR l.lot_id = any(:lot_ids))
ORDER BY l.lot_id
LIMIT :most;

-- name: retired_lots(lot_ids)
-- Which lots are retired; of some, or of all.
-- Index: lot_pkey for some; for all, the table is read whole (one row a lot).
SELECT lot_id
FROM lot
WHERE retired_at IS NOT null AND (:lot_ids::text[] IS null OR lot_id = any(:lot_ids));

-- name: all_bays()
-- Every bay with its place, for the copy of the city in memory, in any order; read by COPY. A lot is
-- told by its place among all lots that are not retired by lot_id, from 1; a class by its own in
-- `sql.kinds`, from 0.
-- Index: none; reads every bay once.
SELECT
    l.lot_place::integer AS lot_place,
    p.number,
    p.level,
    (
        array_position(ARRAY['standard', 'accessible', 'ev', 'large'], p.space_class) - 1
    )::smallint AS space_class,
    st_x(p.geog::geometry) AS longitude,
    st_y(p.geog::geometry) AS latitude
FROM space AS p
INNER JOIN (
    SELECT lot_id, reporting, row_number() OVER (ORDER BY lot_id) AS lot_place
    FROM lot
    WHERE retired_at IS null
) AS l ON p.lot_id = l.lot_id AND l.reporting = 'bays';

-- name: districts()
-- The districts, by their code. Their ground is WKB, degrees in WGS 84.
-- Index: district_pkey.
SELECT adcode, name_zh, name_en, st_asbinary(geom) AS outline
FROM district
ORDER BY adcode;
