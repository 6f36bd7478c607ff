-- What a version applies to.
-- $1 tariff_id  $2 version
-- Index: tariff_version_pkey.
SELECT
    zones,
    lot_types,
    lots
FROM tariff_version
WHERE tariff_id = $1 AND version = $2
