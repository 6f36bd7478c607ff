-- Add a key.
-- $1 key_id, $2 person_id, $3 hash (SHA-256 of the secret), $4 created_at, $5 expires_at or null
-- Index: none; it is added to api_key_pkey.
INSERT INTO api_key (key_id, person_id, hash, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING key_id, person_id, created_at, expires_at, revoked_at, last_used_at, replaced_by;
