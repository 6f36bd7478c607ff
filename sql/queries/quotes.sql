-- name: versions()
-- Every tariff version that prices, or has priced, anything; its document as text.
-- Index: none; reads every published version once.
SELECT tariff_id, version, content_hash, document::text AS document_text
FROM tariff_version
WHERE (tariff_id, version) IN (SELECT e.tariff_id, e.version FROM tariff_effect AS e)
ORDER BY tariff_id, version;

-- name: effects()
-- What each tariff version prices, and when: `ends_at` is exclusive, null for no end.
-- Index: none; reads every effect once.
SELECT
    tariff_id, version, zone_id, lot_type, lot_id, lower(effective) AS starts_at,
    upper(effective) AS ends_at
FROM tariff_effect
ORDER BY starts_at, effect_id;

-- name: lots()
-- Every lot with each zone that ever contains it, the one that came into force last first; a lot
-- that no zone contains has one row with nulls.
-- Index: lot_geog_idx.
WITH contained AS (
    SELECT
        l.lot_id, z.zone_id, z.valid_from, z.valid_to
    FROM zone AS z
    INNER JOIN lot AS l ON l.geog && z.geom::geography AND st_covers(z.geom, l.geog::geometry)
)

SELECT
    l.lot_id, l.lot_type, c.zone_id, c.valid_from, c.valid_to
FROM lot AS l
LEFT JOIN contained AS c ON l.lot_id = c.lot_id
ORDER BY l.lot_id ASC, c.valid_from DESC, c.zone_id ASC;

-- name: calendar()
-- The city's calendar, all years.
-- Index: none; a row a year.
SELECT
    year, holidays, makeup_workdays, published_by, published_at
FROM city_calendar
ORDER BY year;
