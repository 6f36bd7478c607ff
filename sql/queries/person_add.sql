-- Add a person; no row where the id is taken.
-- $1 person_id, $2 name, $3 roles (text[]), $4 operator_id or null, $5 created_at
-- Index: person_pkey.
INSERT INTO person (person_id, name, roles, operator_id, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id) DO NOTHING
RETURNING person_id, name, roles, operator_id, created_at;
