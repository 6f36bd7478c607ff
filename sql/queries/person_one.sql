-- A person.
-- $1 person_id
-- Index: person_pkey.
SELECT
    person_id,
    name,
    roles,
    operator_id,
    created_at
FROM person
WHERE person_id = $1;
