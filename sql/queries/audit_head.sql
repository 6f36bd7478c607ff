-- The number and the previous hash of the next entry of the audit, and how jsonb writes its values.
-- $1 before, $2 after: JSON text, or null
-- Index: audit_entry_pkey, its end.
SELECT
    coalesce(h.entry_id, 0) + 1 AS entry_id,
    coalesce(h.hash, decode(repeat('00', 32), 'hex')) AS previous_hash,
    ($1::text)::jsonb::text AS before_text,
    ($2::text)::jsonb::text AS after_text
FROM (SELECT 1 AS place) AS one
LEFT JOIN (
    SELECT
        entry_id,
        hash
    FROM audit_entry
    ORDER BY entry_id DESC
    LIMIT 1
) AS h ON one.place = 1;
