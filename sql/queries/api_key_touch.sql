-- Note roughly when a key was last used: the caller leaves out uses within minutes of the last.
-- $1 key_id, $2 when
-- Index: api_key_pkey.
UPDATE api_key SET last_used_at = $2
WHERE key_id = $1;
