-- name: controls(control_id, include_drafts)
-- The price controls, by price_control_id, or one of them; drafts too, or not.
-- Amounts are of an hour, but `day_ceiling_minor`; in [valid_from, valid_to).
-- Index: price_control_pkey where one is asked for; there are a few.
SELECT
    price_control_id,
    json_build_object('zh', legal_reference_zh, 'en', legal_reference_en) AS legal_reference,
    zone_class, lot_types, currency, vehicle, base_minor, float_up_percent, float_down_percent,
    floor_minor, ceiling_minor, day_ceiling_minor, valid_from, valid_to, drafted_at, approved_at,
    drafted_by, approved_by
FROM price_control
WHERE
    (:control_id::text IS NULL OR price_control_id = :control_id)
    AND (:include_drafts::boolean OR approved_at IS NOT NULL)
ORDER BY price_control_id;

-- name: applying(zones, lot_types, lots, starts_at, ends_at)
-- The price controls, by price_control_id, that hold within [starts_at, ends_at), or on without
-- end, for lots of some types in some zones, or for single lots.
-- Index: zone_pkey, lot_pkey; there are a few controls.
SELECT
    price_control_id,
    json_build_object('zh', legal_reference_zh, 'en', legal_reference_en) AS legal_reference,
    zone_class, lot_types, currency, vehicle, base_minor, float_up_percent, float_down_percent,
    floor_minor, ceiling_minor, day_ceiling_minor, valid_from, valid_to, drafted_at, approved_at,
    drafted_by, approved_by
FROM price_control
WHERE
    approved_at IS NOT NULL
    AND tstzrange(valid_from, valid_to) && tstzrange(:starts_at, :ends_at)
    AND (
        zone_class IS NULL
        OR zone_class IN (
            SELECT z.zone_class FROM zone AS z
            WHERE
                z.zone_id = any(:zones::text[])
                OR z.zone_id IN (
                    SELECT l.zone_id FROM lot AS l
                    WHERE l.lot_id = any(:lots::text[])
                )
        )
    )
    AND (
        cardinality(lot_types) = 0
        OR lot_types && :lot_types::text[]
        OR lot_types && array(
            SELECT l.lot_type FROM lot AS l
            WHERE l.lot_id = any(:lots::text[])
        )
    )
ORDER BY price_control_id;

-- name: add(control_id, reference_zh, reference_en, zone_class, lot_types, currency, vehicle, base_minor, float_up_percent, float_down_percent, floor_minor, ceiling_minor, day_ceiling_minor, valid_from, valid_to, by, at)
-- Draft a price control; no row where its id is taken.
-- Index: price_control_pkey.
INSERT INTO price_control (
    price_control_id, legal_reference_zh, legal_reference_en, zone_class, lot_types, currency,
    vehicle, base_minor, float_up_percent, float_down_percent, floor_minor, ceiling_minor,
    day_ceiling_minor, valid_from, valid_to, drafted_by, drafted_at
)
VALUES (
    :control_id, :reference_zh, :reference_en, :zone_class, :lot_types, :currency, :vehicle,
    :base_minor, :float_up_percent, :float_down_percent, :floor_minor, :ceiling_minor,
    :day_ceiling_minor, :valid_from, :valid_to, :by, :at
)
ON CONFLICT (price_control_id) DO NOTHING
RETURNING
    price_control_id,
    json_build_object('zh', legal_reference_zh, 'en', legal_reference_en) AS legal_reference,
    zone_class, lot_types, currency, vehicle, base_minor, float_up_percent, float_down_percent,
    floor_minor, ceiling_minor, day_ceiling_minor, valid_from, valid_to, drafted_at, approved_at,
    drafted_by, approved_by;

-- name: settle(control_id, approved_by, approved_at, valid_to)
-- Say who approved a price control and when, and before when it ends.
-- Index: price_control_pkey.
UPDATE price_control
SET
    approved_by = :approved_by,
    approved_at = :approved_at,
    valid_to = :valid_to
WHERE price_control_id = :control_id
RETURNING
    price_control_id,
    json_build_object('zh', legal_reference_zh, 'en', legal_reference_en) AS legal_reference,
    zone_class, lot_types, currency, vehicle, base_minor, float_up_percent, float_down_percent,
    floor_minor, ceiling_minor, day_ceiling_minor, valid_from, valid_to, drafted_at, approved_at,
    drafted_by, approved_by;

-- name: versions_pricing(starts_at, ends_at)
-- The tariff versions that price anything within [starts_at, ends_at), or on without end, each
-- with when that begins; the document as text.
-- Index: tariff_version_pkey; reads every effect once.
SELECT
    v.tariff_id, v.version, v.document::text AS document_text, v.zones, v.lot_types, v.lots,
    greatest(min(lower(e.effective)), :starts_at::timestamptz) AS begins_at
FROM tariff_effect AS e
INNER JOIN tariff_version AS v ON e.tariff_id = v.tariff_id AND e.version = v.version
WHERE e.effective && tstzrange(:starts_at, :ends_at)
GROUP BY v.tariff_id, v.version
ORDER BY v.tariff_id, v.version;
