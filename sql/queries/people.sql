-- name: people(most, after, person_id)
-- People by person_id, from the one after `after` on; or one of them.
-- Index: person_pkey.
SELECT person_id, name, roles, operator_id, created_at
FROM person
WHERE person_id > :after AND (:person_id::text IS null OR person_id = :person_id)
ORDER BY person_id
LIMIT :most;

-- name: add_person(person_id, name, roles, operator_id, at)
-- Add a person; no row where the id is taken.
-- Index: person_pkey.
INSERT INTO person (person_id, name, roles, operator_id, created_at)
VALUES (:person_id, :name, :roles, :operator_id, :at)
ON CONFLICT (person_id) DO NOTHING
RETURNING person_id, name, roles, operator_id, created_at;

-- name: locked_person(person_id)
-- A person; locked to the transaction's end.
-- Index: person_pkey.
SELECT person_id, name, roles, operator_id, created_at
FROM person
WHERE person_id = :person_id
FOR UPDATE;

-- name: set_roles(person_id, roles, operator_id)
-- Set a person's roles, and whose lots an operator is about.
-- Index: person_pkey.
UPDATE person SET roles = :roles, operator_id = :operator_id
WHERE person_id = :person_id
RETURNING person_id, name, roles, operator_id, created_at;

-- name: is_owner()
-- Whether the connection is by the role that owns the table of people.
-- Index: none; a row of the catalogue.
SELECT pg_get_userbyid(relowner) = current_user FROM pg_class
WHERE oid = 'person'::regclass;

-- name: is_anybody_there()
-- Whether there is any person.
-- Index: none; it reads one row.
SELECT exists(SELECT 1 FROM person);

-- name: recoveries()
-- How many recoveries the audit tells of.
-- Index: audit_entry_subject_idx.
SELECT count(*) FROM audit_entry
WHERE subject = 'recovery' AND action = 'recovery';

-- name: tell_of_recovery()
-- Notify whoever counts the recoveries, at the commit.
-- Index: none.
SELECT pg_notify('recovery', '');

-- name: demo_operator()
-- The operator of the demo's person: the one to try things with, or else the first.
-- Index: none; there are some hundred.
SELECT operator_id
FROM operator
ORDER BY operator_id <> 'op-try', operator_id
LIMIT 1;

-- name: credential(key_id)
-- A key, good or not, with its person; its hash is the SHA-256 of its secret.
-- Index: api_key_pkey, person_pkey.
SELECT
    p.person_id, p.name, p.roles, p.operator_id, p.created_at, k.hash, k.expires_at, k.revoked_at,
    k.last_used_at
FROM api_key AS k
INNER JOIN person AS p ON k.person_id = p.person_id
WHERE k.key_id = :key_id;

-- name: touch_key(key_id, at)
-- Note roughly when a key was last used: the caller leaves out uses within minutes of the last.
-- Index: api_key_pkey.
UPDATE api_key SET last_used_at = :at
WHERE key_id = :key_id;

-- name: good_keys(at)
-- Everybody by person_id, with their keys that have not ended, the oldest first.
-- Index: api_key_person_id_idx, or none for many people.
SELECT
    p.person_id,
    p.name,
    p.roles,
    p.operator_id,
    coalesce(array_agg(k.key_id ORDER BY k.created_at) FILTER (WHERE k.key_id IS NOT null), '{}')
        AS key_ids
FROM person AS p
LEFT JOIN api_key AS k
    ON
        p.person_id = k.person_id
        AND k.revoked_at IS null
        AND k.expires_at > :at
GROUP BY p.person_id
ORDER BY p.person_id;

-- name: keys(person_id)
-- A person's keys, ended ones too, the newest first.
-- Index: api_key_person_id_idx.
SELECT key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by
FROM api_key
WHERE person_id = :person_id
ORDER BY created_at DESC, key_id ASC;

-- name: key(key_id)
-- A key; locked to the transaction's end.
-- Index: api_key_pkey.
SELECT key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by
FROM api_key
WHERE key_id = :key_id
FOR UPDATE;

-- name: add_key(key_id, person_id, hash, at, expires_at)
-- Add a key; its hash is the SHA-256 of its secret.
-- Index: none; it is added to api_key_pkey.
INSERT INTO api_key (key_id, person_id, hash, created_at, expires_at)
VALUES (:key_id, :person_id, :hash, :at, :expires_at)
RETURNING key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by;

-- name: end_key(key_id, expires_at, revoked_at, replaced_by)
-- Set when a key ends, and which one takes its place.
-- Index: api_key_pkey.
UPDATE api_key SET
    expires_at = :expires_at,
    revoked_at = :revoked_at,
    replaced_by = :replaced_by
WHERE key_id = :key_id
RETURNING key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by;

-- name: stands(person_id, roles, at)
-- Whether a person has one of some roles, and a key that is good.
-- Index: person_pkey, api_key_person_id_idx.
SELECT
    exists(
        SELECT 1
        FROM person AS p
        INNER JOIN api_key AS k ON p.person_id = k.person_id
        WHERE
            p.person_id = :person_id
            AND p.roles && :roles::text[]
            AND k.revoked_at IS null
            AND k.expires_at > :at
    );
