-- Lots' registration, as far as feeds are concerned.
-- $1 lot ids, or null for all
-- Index: lot_pkey; for all, the table is read whole (one row a lot).
SELECT
    lot_id,
    operator_id,
    reporting,
    capacity,
    report_interval_s
FROM lot
WHERE $1::text[] IS null OR lot_id = any($1)
