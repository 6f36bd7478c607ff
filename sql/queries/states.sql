-- name: lots(lot_ids)
-- Lots' registration, as far as feeds are concerned; of some lots, or of all.
-- Index: lot_pkey; for all, the table is read whole (one row a lot).
SELECT
    lot_id, operator_id, reporting, capacity, report_interval_s,
    retired_at IS NOT null AS is_retired
FROM lot
WHERE :lot_ids::text[] IS null OR lot_id = any(:lot_ids);

-- name: classes(lot_ids)
-- The bays of each lot that are not of class standard, for the lots that sense their bays; of some
-- lots, or of all.
-- Index: space_pkey; for all, `space` is read whole (about 0.2 s for 470,000 bays).
SELECT
    p.lot_id, p.space_class, array_agg(p.number) AS numbers
FROM space AS p
INNER JOIN lot AS l ON p.lot_id = l.lot_id AND l.reporting = 'bays'
WHERE p.space_class <> 'standard' AND (:lot_ids::text[] IS null OR p.lot_id = any(:lot_ids))
GROUP BY p.lot_id, p.space_class;

-- name: states(lot_ids)
-- Lots' states as last committed; of some lots, or of all.
-- Index: lot_state_pkey; for all, the table is read whole (one row a lot).
SELECT
    lot_id, epoch, seq, capacity, free_spaces, unknown_spaces, occupied_bits, unknown_bits,
    free_standard, free_accessible, free_ev, free_large, observed_at, received_at, history_at,
    transport, version, committed_at
FROM lot_state
WHERE :lot_ids::text[] IS null OR lot_id = any(:lot_ids);

-- name: lock_states(lot_ids)
-- Keep others from writing the states of some lots until the transaction ends. In the order in
-- which the ingester writes them, so that neither could wait for the other in a circle.
-- Index: lot_state_pkey.
SELECT lot_id
FROM lot_state
WHERE lot_id = any(:lot_ids::text[])
ORDER BY lot_id
FOR UPDATE;

-- name: apply_states(lot_id, epoch, seq, capacity, free_spaces, unknown_spaces, occupied_bits, unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at, received_at, history_at, transport, built_on)
-- Write new states of lots, each if the database still holds the state that it was built on: its
-- version, or null for none. Each parameter is a list, with one value a lot. Bitmaps and free bays
-- of a class are null for lots that count.
-- Gives lot_id, version, committed_at of every row written.
-- Index: lot_state_pkey. No other index exists, so each update can stay on its page.
-- The version of the row to insert is the one built on, for the comparison at the end.
INSERT INTO lot_state AS s (
    lot_id, version, epoch, seq, capacity, free_spaces, unknown_spaces, occupied_bits,
    unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at, received_at,
    history_at, transport, committed_at
)
SELECT
    n.lot_id,
    coalesce(n.built_on, t.stamp) AS built_on,
    n.epoch, n.seq, n.capacity, n.free_spaces, n.unknown_spaces, n.occupied_bits, n.unknown_bits,
    n.free_standard, n.free_accessible, n.free_ev, n.free_large, n.observed_at, n.received_at,
    n.history_at, n.transport, t.at_time
FROM
    unnest(
        :lot_id::text[], :epoch::bigint[], :seq::bigint[], :capacity::integer[],
        :free_spaces::integer[], :unknown_spaces::integer[],
        :occupied_bits::bytea[], :unknown_bits::bytea[], :free_standard::integer[],
        :free_accessible::integer[], :free_ev::integer[], :free_large::integer[],
        :observed_at::timestamptz[], :received_at::timestamptz[], :history_at::timestamptz[],
        :transport::text[], :built_on::bigint[]
    )
        AS n (
            lot_id, epoch, seq, capacity, free_spaces, unknown_spaces, occupied_bits,
            unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at,
            received_at, history_at, transport, built_on
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
        transport = excluded.transport,
        committed_at = excluded.committed_at
    WHERE s.version = excluded.version
RETURNING s.lot_id, s.version, s.committed_at;
