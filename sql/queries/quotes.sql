-- name: versions(known_tariffs, known_versions)
-- Every tariff version that prices, or has priced, anything, but for those known already, whose ids
-- and numbers are given side by side; its document as text. What has come into force never changes.
-- Index: tariff_version_pkey; reads every effect once.
SELECT tariff_id, version, content_hash, document::text AS document_text
FROM tariff_version
WHERE
    (tariff_id, version) IN (SELECT e.tariff_id, e.version FROM tariff_effect AS e)
    AND (tariff_id, version) NOT IN (
        SELECT k.tariff_id, k.version
        FROM unnest(:known_tariffs::text[], :known_versions::integer[]) AS k (tariff_id, version)
    )
ORDER BY tariff_id, version;

-- name: effects()
-- What each tariff version prices, and when: `ends_at` is exclusive, null for no end.
-- Index: none; reads every effect once.
SELECT
    tariff_id, version, zone_id, lot_type, lot_id, lower(effective) AS starts_at,
    upper(effective) AS ends_at, planned_to
FROM tariff_effect
ORDER BY starts_at, effect_id;

-- name: suspensions()
-- The windows in which tariff versions are suspended, of each version in order: `ends_at` is
-- exclusive, null for no end yet.
-- Index: none; there are few.
SELECT
    tariff_id, version, lower(during) AS starts_at, upper(during) AS ends_at, reason
FROM tariff_suspension
ORDER BY tariff_id, version, starts_at;

-- name: zones_of_lots(after, most)
-- Lots with their type and since when they are retired, a page by lot_id, from the one after `after`
-- on: a row for each zone that ever contains the lot, the one that came into force last first; or one
-- without a zone.
-- Index: lot_pkey, zone_geom_idx.
SELECT
    l.lot_id, l.lot_type, l.retired_at, z.zone_id, z.valid_from, z.valid_to
FROM (
    SELECT lot_id, lot_type, retired_at, geog::geometry AS place
    FROM lot
    WHERE lot_id > :after
    ORDER BY lot_id
    LIMIT :most
) AS l
LEFT JOIN zone AS z ON st_covers(z.geom, l.place)
ORDER BY l.lot_id ASC, z.valid_from DESC, z.zone_id ASC;

-- name: calendar()
-- The city's calendar, all years.
-- Index: none; a row a year.
SELECT
    year, holidays, makeup_workdays, published_at, published_by
FROM city_calendar
ORDER BY year;
