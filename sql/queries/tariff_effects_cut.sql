-- Let whatever a tariff (or one version of it) prices end at a time.
-- $1 tariff_id  $2 the time  $3 version, or null for all
-- Index: tariff_effect_tariff_id_version_idx.
UPDATE tariff_effect
SET effective = tstzrange(lower(effective), $2)
WHERE
    tariff_id = $1
    AND lower(effective) < $2
    AND (upper_inf(effective) OR upper(effective) > $2)
    AND ($3::integer IS NULL OR version = $3)
