-- Add an entry to the audit.
-- $1 entry_id, $2 at, $3 person_id, $4 action, $5 subject, $6 before, $7 after: JSON text or null,
-- $8 reason or null, $9 previous_hash, $10 hash: 32 bytes each
-- Index: audit_entry_pkey and the two unique ones of the hashes.
INSERT INTO audit_entry (
    entry_id, at, person_id, action, subject, before, after, reason, previous_hash, hash
)
VALUES ($1, $2, $3, $4, $5, ($6::text)::jsonb, ($7::text)::jsonb, $8, $9, $10);
