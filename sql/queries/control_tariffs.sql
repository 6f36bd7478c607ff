-- The tariff versions that price anything within a time, each with when that begins.
-- $1 start  $2 end, exclusive, or null for none
-- Index: tariff_version_pkey; reads every effect once.
SELECT
    v.tariff_id,
    v.version,
    v.document::text AS document_text,
    v.zones,
    v.lot_types,
    v.lots,
    greatest(min(lower(e.effective)), $1::timestamptz) AS starts_at
FROM tariff_effect AS e
INNER JOIN tariff_version AS v ON e.tariff_id = v.tariff_id AND e.version = v.version
WHERE e.effective && tstzrange($1, $2)
GROUP BY v.tariff_id, v.version
ORDER BY v.tariff_id, v.version
