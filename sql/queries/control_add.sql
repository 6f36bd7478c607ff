-- Draft a price control; no row where its id is taken.
-- $1 price_control_id, $2 legal_reference_zh, $3 legal_reference_en, $4 zone_class or null,
-- $5 lot types, $6 currency, $7 vehicle or null; $8 base_minor, $9 float_up_percent,
-- $10 float_down_percent, $11 floor_minor, $12 ceiling_minor: of an hour; $13 day_ceiling_minor,
-- $14 valid_from, $15 valid_to or null, $16 by whom, $17 when
-- Index: price_control_pkey.
INSERT INTO price_control (
    price_control_id, legal_reference_zh, legal_reference_en, zone_class, lot_types, currency,
    vehicle, base_minor, float_up_percent, float_down_percent, floor_minor, ceiling_minor,
    day_ceiling_minor, valid_from, valid_to, drafted_by, drafted_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (price_control_id) DO NOTHING
RETURNING price_control_id
