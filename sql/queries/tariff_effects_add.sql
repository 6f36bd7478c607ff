-- Have a version price what it applies to from a time on.
-- $1 tariff_id  $2 version  $3 start  $4 end, exclusive, or null for none
-- Index: tariff_version_pkey; the exclusion constraints refuse what overlaps.
WITH target AS (
    SELECT
        v.zone_id,
        t.lot_type,
        null AS lot_id
    FROM (
        SELECT unnest(zones) AS zone_id FROM tariff_version
        WHERE tariff_id = $1 AND version = $2
    ) AS v
    CROSS JOIN (
        SELECT unnest(lot_types) AS lot_type FROM tariff_version
        WHERE tariff_id = $1 AND version = $2
    ) AS t
    UNION ALL
    SELECT
        null AS zone_id,
        null AS lot_type,
        unnest(lots) AS lot_id
    FROM tariff_version
    WHERE tariff_id = $1 AND version = $2
)

INSERT INTO tariff_effect (
    tariff_id, version, zone_id, lot_type, lot_id, effective, planned_to
)
SELECT
    $1 AS tariff_id,
    $2 AS numbered,
    zone_id,
    lot_type,
    lot_id,
    tstzrange($3, $4) AS effective,
    $4 AS planned_to
FROM target
