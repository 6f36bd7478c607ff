-- The tariff versions that have priced lots of a zone until a time, by lot type and start.
-- $1 zone_id  $2 lot types  $3 the time
-- Index: tariff_effect_zone_excl.
SELECT
    e.lot_type,
    e.tariff_id,
    e.version,
    lower(e.effective) AS starts_at,
    coalesce(upper(e.effective) > $3, true) AS in_force,
    v.document::text AS document_text,
    v.zones,
    v.lot_types
FROM tariff_effect AS e
INNER JOIN tariff_version AS v ON e.tariff_id = v.tariff_id AND e.version = v.version
WHERE
    e.zone_id = $1
    AND e.lot_type = any($2::text[])
    AND lower(e.effective) <= $3
ORDER BY e.lot_type, starts_at
