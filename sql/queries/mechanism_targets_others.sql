-- Which of a price mechanism's zone and lot types others have.
-- $1 mechanism_id
-- Index: price_mechanism_target_pkey.
SELECT
    t.lot_type,
    t.mechanism_id
FROM price_mechanism AS m
INNER JOIN price_mechanism_target AS t ON m.zone_id = t.zone_id AND t.lot_type = any(m.lot_types)
WHERE m.mechanism_id = $1 AND t.mechanism_id <> $1
ORDER BY t.lot_type
