-- Write the new states of the lots that a batch changed; an older (epoch, seq) changes nothing.
-- $1 lot ids  $2 epochs  $3 seqs  $4 capacities  $5 free spaces
-- $6 occupied bitmaps  $7 unknown bitmaps (null elements for lots that count)
-- $8 to $11 free bays of class standard, accessible, ev, large (null elements likewise)
-- $12 observed_at  $13 received_at
-- Returns lot_id, version, committed_at of every row written.
-- Index: lot_state_pkey. No other index exists, so each update can stay on its page.
INSERT INTO lot_state AS s (
    lot_id, epoch, seq, version, capacity, free_spaces, occupied_bits, unknown_bits,
    free_standard, free_accessible, free_ev, free_large, observed_at, received_at, committed_at
)
SELECT
    n.lot_id,
    n.epoch,
    n.seq,
    (extract(EPOCH FROM t.now) * 1000000)::bigint,
    n.capacity,
    n.free_spaces,
    n.occupied_bits,
    n.unknown_bits,
    n.free_standard,
    n.free_accessible,
    n.free_ev,
    n.free_large,
    n.observed_at,
    n.received_at,
    t.now
FROM
    unnest(
        $1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[],
        $6::bytea[], $7::bytea[], $8::integer[], $9::integer[], $10::integer[],
        $11::integer[], $12::timestamptz[], $13::timestamptz[]
    )
        AS n (
            lot_id, epoch, seq, capacity, free_spaces, occupied_bits, unknown_bits,
            free_standard, free_accessible, free_ev, free_large, observed_at, received_at
        )
CROSS JOIN (SELECT clock_timestamp() AS now) AS t
ON CONFLICT (lot_id) DO UPDATE
    SET
        epoch = excluded.epoch,
        seq = excluded.seq,
        version = greatest(excluded.version, s.version + 1),
        capacity = excluded.capacity,
        free_spaces = excluded.free_spaces,
        occupied_bits = excluded.occupied_bits,
        unknown_bits = excluded.unknown_bits,
        free_standard = excluded.free_standard,
        free_accessible = excluded.free_accessible,
        free_ev = excluded.free_ev,
        free_large = excluded.free_large,
        observed_at = excluded.observed_at,
        received_at = excluded.received_at,
        committed_at = excluded.committed_at
    WHERE (s.epoch, s.seq) < (excluded.epoch, excluded.seq)
RETURNING s.lot_id, s.version, s.committed_at
