-- The audit from one entry on, in order.
-- $1 entry_id to start after; 0 from the first  $2 the most entries to give
-- Index: audit_entry_pkey.
SELECT
    entry_id,
    at,
    person_id,
    action,
    subject,
    before::text,
    after::text,
    reason,
    previous_hash,
    hash
FROM audit_entry
WHERE entry_id > $1
ORDER BY entry_id
LIMIT $2;
