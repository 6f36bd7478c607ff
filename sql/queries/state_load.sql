-- Every lot's state as last committed.
-- No parameters. Index: none, the table is read whole (one row a lot).
SELECT
    lot_id,
    epoch,
    seq,
    version,
    capacity,
    free_spaces,
    occupied_bits,
    unknown_bits,
    free_standard,
    free_accessible,
    free_ev,
    free_large,
    observed_at,
    received_at,
    committed_at
FROM lot_state
