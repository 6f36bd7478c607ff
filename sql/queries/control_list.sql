-- Price controls, by price_control_id: all, or those that hold for some classes and lot types
-- within a time.
-- $1 price_control_id, or null  $2 whether drafts are among them
-- $3 zone classes, or null  $4 lot types  $5 start, $6 end or null for none: of the time
-- Index: none; there are a few.
SELECT
    price_control_id,
    legal_reference_zh,
    legal_reference_en,
    zone_class,
    lot_types,
    currency,
    vehicle,
    base_minor,
    float_up_percent,
    float_down_percent,
    floor_minor,
    ceiling_minor,
    day_ceiling_minor,
    valid_from,
    valid_to,
    drafted_by,
    drafted_at,
    approved_by,
    approved_at
FROM price_control
WHERE
    ($1::text IS NULL OR price_control_id = $1)
    AND ($2::boolean OR approved_at IS NOT NULL)
    AND (
        $3::smallint[] IS NULL
        OR (
            (zone_class IS NULL OR zone_class = any($3))
            AND (cardinality(lot_types) = 0 OR lot_types && $4::text[])
            AND tstzrange(valid_from, valid_to) && tstzrange($5, $6)
        )
    )
ORDER BY price_control_id
