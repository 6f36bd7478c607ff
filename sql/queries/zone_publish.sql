-- Make the draft of a zone a zone; no row where there is a zone of that id.
-- $1 zone_id
-- Index: zone_draft_pkey, zone_pkey.
INSERT INTO zone (zone_id, name_zh, name_en, zone_class, valid_from, valid_to, geom)
SELECT
    zone_id,
    name_zh,
    name_en,
    zone_class,
    valid_from,
    valid_to,
    geom
FROM zone_draft
WHERE zone_id = $1
ON CONFLICT (zone_id) DO NOTHING
RETURNING zone_id
