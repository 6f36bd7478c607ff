-- Every lot's registration, as far as feeds are concerned.
-- No parameters. Index: none, the table is read whole (one row a lot).
SELECT
    lot_id,
    operator_id,
    reporting,
    capacity,
    report_interval_s
FROM lot
