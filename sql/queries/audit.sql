-- name: head(before, after)
-- The number and the previous hash of the next entry, and how jsonb writes its values: JSON text or
-- null. The first one's previous hash is 32 zero bytes.
-- Index: audit_entry_pkey, its end.
SELECT
    coalesce((SELECT max(entry_id) FROM audit_entry), 0) + 1 AS entry_id,
    coalesce(
        (
            SELECT hash FROM audit_entry
            ORDER BY entry_id DESC
            LIMIT 1
        ),
        decode(repeat('00', 32), 'hex')
    ) AS previous_hash,
    (:before::text)::jsonb::text AS before_text,
    (:after::text)::jsonb::text AS after_text;

-- name: add(entry_id, at, person_id, action, subject, before, after, reason, previous_hash, hash)
-- Add an entry; `before` and `after` are JSON text or null, the hashes 32 bytes each.
-- Index: audit_entry_pkey and the two unique ones of the hashes.
INSERT INTO audit_entry (
    entry_id, at, person_id, action, subject, before, after, reason, previous_hash, hash
)
VALUES (
    :entry_id, :at, :person_id, :action, :subject, (:before::text)::jsonb, (:after::text)::jsonb,
    :reason, :previous_hash, :hash
);

-- name: entries(after_id, most)
-- Entries in order, from the one after `after_id` on; from 0, the first.
-- Index: audit_entry_pkey.
SELECT
    entry_id, at, person_id, action, subject, before::text, after::text, reason, previous_hash, hash
FROM audit_entry
WHERE entry_id > :after_id
ORDER BY entry_id
LIMIT :most;
