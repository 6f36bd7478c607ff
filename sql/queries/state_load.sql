-- Lots' states as last committed.
-- $1 lot ids, or null for all
-- Index: lot_state_pkey; for all, the table is read whole (one row a lot).
SELECT
    lot_id,
    epoch,
    seq,
    version,
    capacity,
    free_spaces,
    unknown_spaces,
    occupied_bits,
    unknown_bits,
    free_standard,
    free_accessible,
    free_ev,
    free_large,
    observed_at,
    received_at,
    history_at,
    committed_at
FROM lot_state
WHERE $1::text[] IS null OR lot_id = any($1)
