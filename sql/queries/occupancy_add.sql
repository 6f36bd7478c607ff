-- Add to the occupancy steps of lots; free_* of a later batch win or widen.
-- $1 lot ids  $2 starts of steps  $3 capacities  $4 seconds covered
-- $5 spaces, $6 known spaces, $7 free spaces, each x seconds
-- $8 last, $9 least, $10 most free spaces  $11 seconds without a free or an unknown space
-- Index: lot_occupancy_pkey of the step's partition.
INSERT INTO lot_occupancy AS o (
    lot_id, step_at, capacity, covered_s, space_s, known_space_s, free_space_s, free_last,
    free_min, free_max, full_s
)
SELECT
    n.lot_id,
    n.step_at,
    n.capacity,
    n.covered_s,
    n.space_s,
    n.known_space_s,
    n.free_space_s,
    n.free_last,
    n.free_min,
    n.free_max,
    n.full_s
FROM
    unnest(
        $1::text[], $2::timestamptz[], $3::integer[], $4::float8[], $5::float8[],
        $6::float8[], $7::float8[], $8::integer[], $9::integer[], $10::integer[], $11::float8[]
    ) AS n (
        lot_id, step_at, capacity, covered_s, space_s, known_space_s, free_space_s, free_last,
        free_min, free_max, full_s
    )
ON CONFLICT (lot_id, step_at) DO UPDATE SET
    capacity = excluded.capacity,
    covered_s = o.covered_s + excluded.covered_s,
    space_s = o.space_s + excluded.space_s,
    known_space_s = o.known_space_s + excluded.known_space_s,
    free_space_s = o.free_space_s + excluded.free_space_s,
    free_last = excluded.free_last,
    free_min = least(o.free_min, excluded.free_min),
    free_max = greatest(o.free_max, excluded.free_max),
    full_s = o.full_s + excluded.full_s
