-- Reviews of a price mechanism, newest first.
-- $1 mechanism_id  $2 number, or null for all  $3 number to come before, or null  $4 the most
-- Index: mechanism_review_pkey.
SELECT
    mechanism_id,
    number,
    reviewed_at,
    reviewed_by,
    definition::text AS definition_text,
    read_from,
    read_to,
    lots,
    tariff_id,
    version,
    proposals::text AS proposals_text,
    drafted_version,
    drafted_by,
    drafted_at
FROM mechanism_review
WHERE
    mechanism_id = $1
    AND ($2::integer IS NULL OR number = $2)
    AND ($3::integer IS NULL OR number < $3)
ORDER BY number DESC
LIMIT $4
