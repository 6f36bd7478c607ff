-- Write beside a review which tariff version was drafted from it.
-- $1 mechanism_id  $2 number  $3 version  $4 by whom  $5 when
-- Index: mechanism_review_pkey.
UPDATE mechanism_review
SET drafted_version = $3, drafted_by = $4, drafted_at = $5
WHERE mechanism_id = $1 AND number = $2
