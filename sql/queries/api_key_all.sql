-- Everybody with their keys that have not ended, for people's eyes.
-- $1 now
-- Index: api_key_person_id_idx, or none for many people.
SELECT
    p.person_id,
    p.name,
    p.roles,
    p.operator_id,
    coalesce(array_agg(k.key_id ORDER BY k.created_at) FILTER (WHERE k.key_id IS NOT null), '{}')
        AS key_ids
FROM person AS p
LEFT JOIN api_key AS k
    ON
        p.person_id = k.person_id
        AND k.revoked_at IS null
        AND (k.expires_at IS null OR k.expires_at > $1)
GROUP BY p.person_id
ORDER BY p.person_id;
