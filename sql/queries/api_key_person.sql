-- A key, good or not, with whose it is.
-- $1 key_id
-- Index: api_key_pkey, person_pkey.
SELECT
    k.hash,
    k.expires_at,
    k.revoked_at,
    k.last_used_at,
    p.person_id,
    p.name,
    p.roles,
    p.operator_id
FROM api_key AS k
INNER JOIN person AS p ON k.person_id = p.person_id
WHERE k.key_id = $1;
