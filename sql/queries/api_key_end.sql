-- Set the end of a key.
-- $1 key_id, $2 expires_at or null, $3 revoked_at or null, $4 replaced_by: key_id or null
-- Index: api_key_pkey.
UPDATE api_key SET
    expires_at = $2,
    revoked_at = $3,
    replaced_by = $4
WHERE key_id = $1
RETURNING key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by;
