-- The state and author of one version; locked to the transaction's end.
-- $1 tariff_id  $2 version
-- Index: tariff_version_pkey.
SELECT
    state,
    drafted_by,
    submitted_by,
    published_by
FROM tariff_version
WHERE tariff_id = $1 AND version = $2
FOR NO KEY UPDATE
