-- name: add(person_id, action, subject, before, after, reason, at)
-- Add an entry; `before` and `after` are JSON text or null. Returns its number.
-- Index: audit_entry_pkey, its end, and the two unique ones of the hashes.
SELECT
    add_audit_entry(
        :person_id, :action, :subject, (:before::text)::jsonb, (:after::text)::jsonb, :reason, :at
    ) AS entry_id;

-- name: entries(after_id, most)
-- Entries in order, from the one after `after_id` on; from 0, the first.
-- Index: audit_entry_pkey.
SELECT
    entry_id, at, person_id, action, subject, before::text, after::text, reason, previous_hash,
    hash, format, recorded_at, recorded_by
FROM audit_entry
WHERE entry_id > :after_id
ORDER BY entry_id
LIMIT :most;
