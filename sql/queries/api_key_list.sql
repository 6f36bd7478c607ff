-- A person's keys, the newest first, without their hashes.
-- $1 person_id
-- Index: api_key_person_id_idx.
SELECT
    key_id,
    person_id,
    created_at,
    expires_at,
    revoked_at,
    last_used_at,
    replaced_by
FROM api_key
WHERE person_id = $1
ORDER BY created_at DESC, key_id ASC;
