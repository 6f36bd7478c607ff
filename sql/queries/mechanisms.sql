-- name: mechanisms(include_drafts, mechanism_id)
-- Price mechanisms by mechanism_id, with those that were never approved or without; or one of them.
-- Index: price_mechanism_pkey where one is asked for; there are a few.
SELECT
    mechanism_id, definition::jsonb || jsonb_build_object('mode', mode) AS mechanism,
    content_hash AS hash, state, mode, drafted_at, approved_at, retired_at, drafted_by,
    approved_by, retired_by
FROM price_mechanism
WHERE
    (:mechanism_id::text IS null OR mechanism_id = :mechanism_id)
    AND (:include_drafts::boolean OR approved_at IS NOT null)
ORDER BY mechanism_id;

-- name: lock(mechanism_id)
-- Lock a price mechanism to the transaction's end; no row where there is none.
-- Index: price_mechanism_pkey.
SELECT mechanism_id FROM price_mechanism
WHERE mechanism_id = :mechanism_id
FOR UPDATE;

-- name: add(mechanism_id, definition, hash, zone_id, lot_types, mode, by, at)
-- Draft a price mechanism, its definition as JSON text; no row where its id is taken.
-- Index: price_mechanism_pkey.
INSERT INTO price_mechanism (
    mechanism_id, definition, content_hash, zone_id, lot_types, mode, drafted_by, drafted_at
)
VALUES (:mechanism_id, :definition, :hash, :zone_id, :lot_types, :mode, :by, :at)
ON CONFLICT (mechanism_id) DO NOTHING
RETURNING
    mechanism_id, definition::jsonb || jsonb_build_object('mode', mode) AS mechanism,
    content_hash AS hash, state, mode, drafted_at, approved_at, retired_at, drafted_by,
    approved_by, retired_by;

-- name: change(mechanism_id, definition, hash, zone_id, lot_types, mode, at)
-- Write a draft of a price mechanism anew, its definition as JSON text.
-- Index: price_mechanism_pkey.
UPDATE price_mechanism
SET
    definition = :definition,
    content_hash = :hash,
    zone_id = :zone_id,
    lot_types = :lot_types,
    mode = :mode,
    drafted_at = :at
WHERE mechanism_id = :mechanism_id
RETURNING
    mechanism_id, definition::jsonb || jsonb_build_object('mode', mode) AS mechanism,
    content_hash AS hash, state, mode, drafted_at, approved_at, retired_at, drafted_by,
    approved_by, retired_by;

-- name: settle(mechanism_id, state, mode, approved_by, approved_at, retired_by, retired_at)
-- Say how a price mechanism stands, and who approved or retired it when; what is null stays.
-- Index: price_mechanism_pkey.
UPDATE price_mechanism
SET
    state = coalesce(:state, state),
    mode = coalesce(:mode, mode),
    approved_by = coalesce(:approved_by, approved_by),
    approved_at = coalesce(:approved_at, approved_at),
    retired_by = coalesce(:retired_by, retired_by),
    retired_at = coalesce(:retired_at, retired_at)
WHERE mechanism_id = :mechanism_id
RETURNING
    mechanism_id, definition::jsonb || jsonb_build_object('mode', mode) AS mechanism,
    content_hash AS hash, state, mode, drafted_at, approved_at, retired_at, drafted_by,
    approved_by, retired_by;

-- name: add_targets(mechanism_id)
-- Give a price mechanism its zone and lot types; those that another has are left out.
-- Index: price_mechanism_target_pkey.
INSERT INTO price_mechanism_target (zone_id, lot_type, mechanism_id)
SELECT m.zone_id, t.lot_type, m.mechanism_id
FROM price_mechanism AS m
CROSS JOIN unnest(m.lot_types) AS t (lot_type)
WHERE m.mechanism_id = :mechanism_id
ON CONFLICT (zone_id, lot_type) DO NOTHING;

-- name: targets_of_others(mechanism_id)
-- Which of a price mechanism's zone and lot types others have.
-- Index: price_mechanism_target_pkey.
SELECT t.lot_type, t.mechanism_id
FROM price_mechanism AS m
INNER JOIN price_mechanism_target AS t ON m.zone_id = t.zone_id AND t.lot_type = any(m.lot_types)
WHERE m.mechanism_id = :mechanism_id AND t.mechanism_id <> :mechanism_id
ORDER BY t.lot_type;

-- name: remove_targets(mechanism_id)
-- Give up what a price mechanism has.
-- Index: none; there are a few.
DELETE FROM price_mechanism_target
WHERE mechanism_id = :mechanism_id;

-- name: tariffs(zone_id, lot_types, at)
-- The tariff versions that have priced lots of a zone until a time, by lot type and start.
-- Index: tariff_effect_zone_excl.
SELECT
    e.lot_type,
    e.tariff_id,
    e.version,
    lower(e.effective) AS starts_at,
    coalesce(upper(e.effective) > :at, true) AS in_force,
    v.document::text AS document_text,
    v.zones,
    v.lot_types
FROM tariff_effect AS e
INNER JOIN tariff_version AS v ON e.tariff_id = v.tariff_id AND e.version = v.version
WHERE
    e.zone_id = :zone_id
    AND e.lot_type IS NOT null
    AND e.lot_type = any(:lot_types::text[])
    AND lower(e.effective) <= :at
ORDER BY e.lot_type, starts_at;

-- name: history(zone_id, lot_types, at, beside_m, time_bands, starts, ends)
-- What history knows of the lots that a price mechanism moves, and of those beside them, which are
-- within `beside_m` metres: a row for each lot and time band: the seconds that are known, weighed by
-- the share of the lot that was, and seconds x spaces in service, known, free, and of the time in
-- which every space was occupied. Lots that have tariffs of their own at `at` are not moved. The
-- intervals to read, end exclusive, are time_bands, starts and ends.
-- Index: primary keys of each interval's partitions below lot_history; lot_geog_idx.
WITH moved AS (
    SELECT l.lot_id, l.capacity, l.geog
    FROM lot AS l
    WHERE
        l.zone_id = :zone_id
        AND l.lot_type = any(:lot_types::text[])
        AND l.retired_at IS null
        AND NOT EXISTS (
            SELECT FROM tariff_effect AS e
            WHERE e.lot_id = l.lot_id AND e.effective @> :at::timestamptz
        )
),

looked_at AS (
    SELECT m.lot_id, m.capacity, false AS beside
    FROM moved AS m
    UNION ALL
    SELECT o.lot_id, o.capacity, true AS beside
    FROM lot AS o
    WHERE
        o.retired_at IS null
        AND EXISTS (
            SELECT FROM moved AS m
            WHERE st_dwithin(m.geog, o.geog, :beside_m::float8)
        )
        AND o.lot_id NOT IN (SELECT m.lot_id FROM moved AS m)
)

SELECT
    t.time_band,
    l.lot_id,
    l.capacity,
    l.beside,
    coalesce(sum(s.known_s), 0) AS known_s,
    coalesce(sum(s.space_s), 0) AS space_s,
    coalesce(sum(s.known_space_s), 0) AS known_space_s,
    coalesce(sum(s.free_space_s), 0) AS free_space_s,
    coalesce(sum(s.full_space_s), 0) AS full_space_s
FROM looked_at AS l
CROSS JOIN
    unnest(:time_bands::text[], :starts::timestamptz[], :ends::timestamptz[])
        AS t (time_band, starts_at, ends_at)
LEFT JOIN LATERAL (
    SELECT
        sum(o.covered_s * o.known_space_s / nullif(o.space_s, 0)) AS known_s,
        sum(o.space_s) AS space_s,
        sum(o.known_space_s) AS known_space_s,
        sum(o.free_space_s) AS free_space_s,
        sum(o.full_s * o.space_s / nullif(o.covered_s, 0)) AS full_space_s
    FROM lot_history AS o
    WHERE
        o.lot_id = l.lot_id
        AND o.day_at >= date_bin('1 day', t.starts_at, '2000-01-01 00:00:00+00')
        AND o.day_at < t.ends_at
        AND o.step_at >= t.starts_at
        AND o.step_at < t.ends_at
) AS s ON true
GROUP BY t.time_band, l.lot_id, l.capacity, l.beside
ORDER BY t.time_band, l.lot_id;

-- name: reviews(mechanism_id, most, number, before)
-- Reviews of a price mechanism, newest first, from the one before `before` on; or one of them.
-- Index: mechanism_review_pkey.
SELECT
    mechanism_id, number, reviewed_at, reviewed_by, read_from, read_to, lots, tariff_id, version,
    definition AS mechanism, definition -> 'lot_types' AS lot_types, proposals,
    CASE
        WHEN drafted_version IS NOT null
            THEN json_build_object(
                'version', drafted_version, 'drafted_by', drafted_by, 'drafted_at', drafted_at
            )
    END AS drafted
FROM mechanism_review
WHERE
    mechanism_id = :mechanism_id
    AND (:number::integer IS null OR number = :number)
    AND (:before::integer IS null OR number < :before)
ORDER BY number DESC
LIMIT :most;

-- name: add_review(mechanism_id, at, by, definition, read_from, read_to, lots, tariff_id, version, proposals)
-- Record a review of a price mechanism, which is locked before, under its next number. Definition
-- and proposals are JSON text; read was history from `read_from` to before `read_to`, of so many
-- lots; the tariff version is the one in force.
-- Index: mechanism_review_pkey.
INSERT INTO mechanism_review (
    mechanism_id, number, reviewed_at, reviewed_by, definition, read_from, read_to, lots, tariff_id,
    version, proposals
)
SELECT
    :mechanism_id, coalesce(max(number), 0) + 1, :at, :by, :definition, :read_from, :read_to, :lots,
    :tariff_id, :version, :proposals
FROM mechanism_review
WHERE mechanism_id = :mechanism_id
RETURNING
    mechanism_id, number, reviewed_at, reviewed_by, read_from, read_to, lots, tariff_id, version,
    definition AS mechanism, definition -> 'lot_types' AS lot_types, proposals,
    CASE
        WHEN drafted_version IS NOT null
            THEN json_build_object(
                'version', drafted_version, 'drafted_by', drafted_by, 'drafted_at', drafted_at
            )
    END AS drafted;

-- name: note_draft(mechanism_id, number, version, by, at)
-- Write beside a review which tariff version was drafted from it.
-- Index: mechanism_review_pkey.
UPDATE mechanism_review
SET drafted_version = :version, drafted_by = :by, drafted_at = :at
WHERE mechanism_id = :mechanism_id AND number = :number
RETURNING
    mechanism_id, number, reviewed_at, reviewed_by, read_from, read_to, lots, tariff_id, version,
    definition AS mechanism, definition -> 'lot_types' AS lot_types, proposals,
    CASE
        WHEN drafted_version IS NOT null
            THEN json_build_object(
                'version', drafted_version, 'drafted_by', drafted_by, 'drafted_at', drafted_at
            )
    END AS drafted;
