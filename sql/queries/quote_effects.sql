-- What each tariff version prices, and when.
-- No parameters.
-- Index: none; reads every effect once.
SELECT
    tariff_id,
    version,
    zone_id,
    lot_type,
    lot_id,
    lower(effective) AS starts_at,
    upper(effective) AS ends_at
FROM tariff_effect
ORDER BY starts_at, effect_id
