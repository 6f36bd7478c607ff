-- Give a price mechanism its zone and lot types; those that another has are left out.
-- $1 mechanism_id
-- Index: price_mechanism_target_pkey.
INSERT INTO price_mechanism_target (zone_id, lot_type, mechanism_id)
SELECT
    m.zone_id,
    t.lot_type,
    m.mechanism_id
FROM price_mechanism AS m
CROSS JOIN unnest(m.lot_types) AS t (lot_type)
WHERE m.mechanism_id = $1
ON CONFLICT (zone_id, lot_type) DO NOTHING
RETURNING lot_type
