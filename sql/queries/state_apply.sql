-- Write new states of lots, each if the database still holds the state that it was built on.
-- $1 lot ids  $2 versions built on (null: the lot had no state)
-- $3 epochs  $4 seqs  $5 capacities  $6 free spaces  $7 unknown spaces
-- $8 occupied bitmaps  $9 unknown bitmaps (null elements for lots that count)
-- $10 to $13 free bays of class standard, accessible, ev, large (null elements likewise)
-- $14 observed_at  $15 received_at  $16 history_at
-- Returns lot_id, version, committed_at of every row written.
-- Index: lot_state_pkey. No other index exists, so each update can stay on its page.
-- The version of the row to insert is the one built on, for the comparison at the end.
INSERT INTO lot_state AS s (
    lot_id, version, epoch, seq, capacity, free_spaces, unknown_spaces, occupied_bits,
    unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at, received_at,
    history_at, committed_at
)
SELECT
    n.lot_id,
    coalesce(n.built_on, t.stamp) AS built_on,
    n.epoch,
    n.seq,
    n.capacity,
    n.free_spaces,
    n.unknown_spaces,
    n.occupied_bits,
    n.unknown_bits,
    n.free_standard,
    n.free_accessible,
    n.free_ev,
    n.free_large,
    n.observed_at,
    n.received_at,
    n.history_at,
    t.at_time
FROM
    unnest(
        $1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::integer[],
        $7::integer[], $8::bytea[], $9::bytea[], $10::integer[], $11::integer[],
        $12::integer[], $13::integer[], $14::timestamptz[], $15::timestamptz[],
        $16::timestamptz[]
    )
        AS n (
            lot_id, built_on, epoch, seq, capacity, free_spaces, unknown_spaces, occupied_bits,
            unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at,
            received_at, history_at
        )
CROSS JOIN (
    SELECT
        c.at_time,
        (extract(EPOCH FROM c.at_time) * 1000000)::bigint AS stamp
    FROM (SELECT clock_timestamp() AS at_time) AS c
) AS t
WHERE
    n.built_on IS null
    OR EXISTS (
        SELECT FROM lot_state AS o
        WHERE o.lot_id = n.lot_id
    )
ON CONFLICT (lot_id) DO UPDATE
    SET
        version = greatest(
            (extract(EPOCH FROM excluded.committed_at) * 1000000)::bigint, s.version + 1
        ),
        epoch = excluded.epoch,
        seq = excluded.seq,
        capacity = excluded.capacity,
        free_spaces = excluded.free_spaces,
        unknown_spaces = excluded.unknown_spaces,
        occupied_bits = excluded.occupied_bits,
        unknown_bits = excluded.unknown_bits,
        free_standard = excluded.free_standard,
        free_accessible = excluded.free_accessible,
        free_ev = excluded.free_ev,
        free_large = excluded.free_large,
        observed_at = excluded.observed_at,
        received_at = excluded.received_at,
        history_at = excluded.history_at,
        committed_at = excluded.committed_at
    WHERE s.version = excluded.version
RETURNING s.lot_id, s.version, s.committed_at
