-- name: add(person_id, action, subject, before, after, reason, at)
-- Add an entry; `before` and `after` are JSON text or null. Returns its number.
-- Index: audit_entry_pkey, its end, and the two unique ones of the hashes.
SELECT
    add_audit_entry(
        :person_id, :action, :subject, (:before::text)::jsonb, (:after::text)::jsonb, :reason, :at
    ) AS entry_id;

-- name: entries(after_id, most, most_bytes)
-- Entries in order, from the one after `after_id` on; from 0, the first. At most so many, and of
-- their JSON so many bytes, but for the last one.
-- Index: audit_entry_pkey.
WITH page AS (
    SELECT
        entry_id, at, person_id, action, subject, before::text, after::text, reason,
        previous_hash, hash, format, recorded_at, recorded_by,
        sum(coalesce(octet_length(before::text), 0) + coalesce(octet_length(after::text), 0))
            OVER (ORDER BY entry_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            AS bytes_before
    FROM audit_entry
    WHERE entry_id > :after_id
    ORDER BY entry_id
    LIMIT :most
)

SELECT
    entry_id, at, person_id, action, subject, before, after, reason, previous_hash, hash, format,
    recorded_at, recorded_by
FROM page
WHERE bytes_before IS NULL OR bytes_before < :most_bytes
ORDER BY entry_id;
