-- Take back what a version was to price; give when it was to begin.
-- $1 tariff_id  $2 version  $3 the time: only what begins after it
-- Index: tariff_effect_tariff_id_version_idx.
DELETE FROM tariff_effect
WHERE tariff_id = $1 AND version = $2 AND lower(effective) > $3
RETURNING lower(effective) AS effective_from
