-- A page of people by person_id.
-- $1 person_id to start after; '' from the first  $2 the most people to give
-- Index: person_pkey.
SELECT
    person_id,
    name,
    roles,
    operator_id,
    created_at
FROM person
WHERE person_id > $1
ORDER BY person_id
LIMIT $2;
