-- Let what a version would have taken over go on to the end that was meant.
-- $1 tariff_id  $2 when it would have been taken over
-- Index: tariff_effect_tariff_id_version_idx.
UPDATE tariff_effect AS e
SET effective = tstzrange(lower(e.effective), e.planned_to)
FROM tariff_version AS v
WHERE
    e.tariff_id = $1
    AND upper(e.effective) = $2
    AND e.planned_to IS DISTINCT FROM $2
    AND v.tariff_id = e.tariff_id
    AND v.version = e.version
    AND v.state = 'published'
