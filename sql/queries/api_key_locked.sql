-- A key, held against other changes until the transaction ends.
-- $1 key_id
-- Index: api_key_pkey.
SELECT
    key_id,
    person_id,
    hash,
    created_at,
    expires_at,
    revoked_at,
    last_used_at,
    replaced_by
FROM api_key
WHERE key_id = $1
FOR UPDATE;
