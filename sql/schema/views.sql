-- Every view. A column may be added at a view's end; anything else needs it dropped first.
-- noqa: disable=LT02,LT09,ST09

CREATE OR REPLACE VIEW lot_now AS
SELECT
    l.lot_id, l.operator_id, l.gateway_id, l.district, l.zone_id, l.name_zh, l.name_en,
    l.lot_type, l.land_use, l.reporting, l.report_interval_s, l.levels, l.height_limit_m,
    l.opens_at, l.closes_at, l.timezone, l.geog,
    w.capacity, w.free_spaces, w.unknown_spaces,
    s.free_standard, s.free_accessible, s.free_ev, s.free_large,
    s.occupied_bits, s.unknown_bits, s.epoch, s.seq, s.version,
    s.observed_at, s.received_at, s.committed_at,
    CASE
        WHEN s.observed_at > now() THEN 0 ELSE date_part('epoch', now() - s.observed_at)
    END AS age_s,
    w.data_state,
    CASE
        WHEN is_shut(l.closed_from, l.closed_until, now(), now()) THEN 'closed'
        WHEN w.data_state = 'unknown' THEN 'unknown'
        WHEN NOT is_open(l.opens_at, l.closes_at, (now() AT TIME ZONE l.timezone)::time)
            THEN 'closed'
        WHEN w.free_spaces > 0 THEN 'open'
        WHEN w.unknown_spaces > 0 THEN 'unknown'
        ELSE 'full'
    END AS status,
    s.transport, l.closed_from, l.closed_until, l.closed_reason,
    is_shut(l.closed_from, l.closed_until, now(), now()) AS is_shut
FROM lot AS l
LEFT JOIN lot_state AS s ON s.lot_id = l.lot_id
CROSS JOIN LATERAL (
    SELECT
        d.data_state,
        coalesce(s.capacity, l.capacity) AS capacity,
        CASE
            WHEN d.data_state <> 'unknown'
                AND (s.unknown_spaces = 0 OR s.unknown_spaces < s.capacity)
                THEN s.free_spaces
        END AS free_spaces,
        CASE
            WHEN d.data_state = 'unknown' THEN coalesce(s.capacity, l.capacity)
            ELSE s.unknown_spaces
        END AS unknown_spaces
    FROM (SELECT data_state(s.observed_at, l.report_interval_s) AS data_state) AS d
) AS w
WHERE l.retired_at IS NULL;
COMMENT ON VIEW lot_now IS
'Every lot that is not retired, as last committed. free_spaces is null where nothing is known:
    unknown_spaces is then the capacity.';

CREATE OR REPLACE VIEW space_now AS
SELECT
    p.lot_id, p.number, p.level, p.space_class, p.geog,
    bay_state(s.occupied_bits, s.unknown_bits, s.capacity, p.number) AS state,
    s.observed_at, s.received_at,
    data_state(s.observed_at, l.report_interval_s) AS data_state
FROM space AS p
INNER JOIN lot AS l
    ON l.lot_id = p.lot_id AND l.reporting = 'bays' AND l.retired_at IS NULL
INNER JOIN lot_state AS s ON s.lot_id = p.lot_id;
COMMENT ON VIEW space_now IS
'Every bay of the lots that sense their bays, have reported and are not retired, with its state.';

CREATE OR REPLACE VIEW lot_history AS
SELECT
    o.lot_id,
    date_bin('1 day', o.step_at, '2000-01-01 00:00:00+00') AS day_at,
    o.step_at, o.capacity, o.covered_s, o.free_space_s, o.free_last, o.free_min, o.free_max,
    o.full_s, o.space_s, o.known_space_s
FROM lot_occupancy AS o
UNION ALL
SELECT
    p.lot_id, p.day_at, p.day_at + (s.place - 1) * interval '300 s' AS step_at,
    coalesce(s.capacity, p.capacity[1]) AS capacity,
    coalesce(s.covered_s, p.covered_s[1]) AS covered_s,
    coalesce(s.free_space_s, p.free_space_s[1]) AS free_space_s,
    s.free_last,
    coalesce(s.free_min, p.free_min[1]) AS free_min,
    coalesce(s.free_max, p.free_max[1]) AS free_max,
    coalesce(s.full_s, p.full_s[1]) AS full_s,
    coalesce(s.space_s, p.space_s[1]) AS space_s,
    coalesce(s.known_space_s, p.known_space_s[1]) AS known_space_s
FROM lot_occupancy_fed AS p
CROSS JOIN LATERAL unnest(
    p.capacity, p.covered_s, p.free_space_s, p.free_last, p.free_min, p.free_max,
    p.full_s, p.space_s, p.known_space_s
) WITH ORDINALITY AS s (
    capacity, covered_s, free_space_s, free_last, free_min, free_max, full_s, space_s,
    known_space_s, place
)
WHERE s.free_last IS NOT NULL
UNION ALL
SELECT
    d.lot_id,
    d.day_at,
    d.day_at + (s.place - 1) * interval '300 s' AS step_at,
    d.capacity,
    s.covered_s,
    (d.capacity - s.occupied) * s.covered_s AS free_space_s,
    round(d.capacity - s.occupied)::integer AS free_last,
    floor(d.capacity - s.occupied)::integer AS free_min,
    ceil(d.capacity - s.occupied)::integer AS free_max,
    CASE WHEN s.occupied = d.capacity THEN s.covered_s ELSE 0 END AS full_s,
    d.capacity * s.covered_s AS space_s,
    d.capacity * s.covered_s AS known_space_s
FROM lot_occupancy_day AS d
CROSS JOIN LATERAL (
    -- What feeds have written of that day: looked up once, not for each step.
    SELECT coalesce(array_agg(f.step_at), '{}') AS steps
    FROM (
        SELECT o.step_at
        FROM lot_occupancy AS o
        WHERE
            o.lot_id = d.lot_id
            AND o.step_at >= d.day_at
            AND o.step_at < d.day_at + interval '24 h'
        UNION ALL
        SELECT p.day_at + (c.place - 1) * interval '300 s' AS step_at
        FROM lot_occupancy_fed AS p
        CROSS JOIN LATERAL unnest(p.free_last) WITH ORDINALITY AS c (free_last, place)
        WHERE p.lot_id = d.lot_id AND p.day_at = d.day_at AND c.free_last IS NOT NULL
    ) AS f
) AS fed
CROSS JOIN LATERAL (
    SELECT
        u.place,
        u.occupied::double precision AS occupied,
        coalesce(u.covered_s, 300)::double precision AS covered_s
    FROM unnest(d.occupied, d.covered_s) WITH ORDINALITY AS u (occupied, covered_s, place)
    WHERE u.occupied IS NOT NULL
) AS s
WHERE d.day_at + (s.place - 1) * interval '300 s' <> all(fed.steps);
COMMENT ON VIEW lot_history IS
'The occupancy of lots in steps of 300 s: those of feeds and those of imports. Ask for day_at (the
    first instant of the day in UTC) beside step_at: days are found by it. A report that comes late for
    a step that is packed stands in a row of its own, until it is added to it within minutes.';
