-- Say that a version is in_review.
-- $1 tariff_id  $2 version  $3 by whom  $4 when
-- Index: tariff_version_pkey.
UPDATE tariff_version
SET
    state = 'in_review',
    submitted_by = $3,
    submitted_at = $4
WHERE tariff_id = $1 AND version = $2
