-- Say that a version is published.
-- $1 tariff_id  $2 version  $3 by whom  $4 when
-- Index: tariff_version_pkey.
UPDATE tariff_version
SET
    state = 'published',
    published_by = $3,
    published_at = $4
WHERE tariff_id = $1 AND version = $2
