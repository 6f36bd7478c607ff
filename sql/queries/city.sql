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
) AS c
LEFT JOIN ingester_status AS i ON i.ingester = 'ingester';
