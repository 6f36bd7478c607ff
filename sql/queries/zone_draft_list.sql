-- The drafts of zones that are neither published nor withdrawn, by zone_id, without their ground.
-- No parameters.
-- Index: none; there are a few.
SELECT
    zone_id,
    name_zh,
    name_en,
    zone_class,
    valid_from,
    valid_to,
    replaces,
    state,
    drafted_by,
    drafted_at,
    published_by,
    published_at
FROM zone_draft
WHERE state = 'draft'
ORDER BY zone_id
