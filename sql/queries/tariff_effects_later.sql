-- Effects of a tariff that begin at a time or after it.
-- $1 tariff_id  $2 the time
-- Index: tariff_effect_tariff_id_version_idx.
SELECT
    version,
    min(lower(effective)) AS effective_from
FROM tariff_effect
WHERE tariff_id = $1 AND lower(effective) >= $2
GROUP BY version
ORDER BY version
