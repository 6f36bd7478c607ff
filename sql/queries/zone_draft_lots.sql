-- How many lots a draft contains.
-- $1 zone_id of the draft
-- Index: zone_draft_pkey, lot_geog_idx.
SELECT count(l.lot_id)
FROM zone_draft AS d
INNER JOIN lot AS l ON l.geog && d.geom::geography AND st_covers(d.geom, l.geog::geometry)
WHERE d.zone_id = $1
