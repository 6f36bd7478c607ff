-- Effects that stand in the way of a version: of the same zone and lot type, or the same lot.
-- $1 zone_ids  $2 lot types  $3 lot_ids  $4 start  $5 end, exclusive, or null for none
-- Index: tariff_effect_zone_excl, tariff_effect_lot_excl.
SELECT
    tariff_id,
    version,
    zone_id,
    lot_type,
    lot_id,
    lower(effective) AS effective_from,
    upper(effective) AS effective_to
FROM tariff_effect
WHERE
    effective && tstzrange($4, $5)
    AND (
        (zone_id = any($1::text[]) AND lot_type = any($2::text[]))
        OR lot_id = any($3::text[])
    )
ORDER BY tariff_id, version, zone_id, lot_type, lot_id
