-- Add to the occupancy steps of lots; free_* of a later batch win or widen.
-- $1 lot ids  $2 starts of steps  $3 capacities  $4 seconds covered
-- $5 free spaces x seconds  $6 last, $7 least, $8 most free spaces observed (null: none)
-- $9 seconds without a free space
-- Index: lot_occupancy_pkey of the step's partition.
INSERT INTO lot_occupancy AS o (
    lot_id, step_at, capacity, covered_s, free_space_s, free_last, free_min, free_max,
    full_s
)
SELECT
    n.lot_id,
    n.step_at,
    n.capacity,
    n.covered_s,
    n.free_space_s,
    n.free_last,
    n.free_min,
    n.free_max,
    n.full_s
FROM
    unnest(
        $1::text[], $2::timestamptz[], $3::integer[], $4::float8[], $5::float8[],
        $6::integer[], $7::integer[], $8::integer[], $9::float8[]
    ) AS n (
        lot_id, step_at, capacity, covered_s, free_space_s, free_last, free_min, free_max, full_s
    )
ON CONFLICT (lot_id, step_at) DO UPDATE SET
    capacity = excluded.capacity,
    covered_s = o.covered_s + excluded.covered_s,
    free_space_s = o.free_space_s + excluded.free_space_s,
    free_last = coalesce(excluded.free_last, o.free_last),
    free_min = least(o.free_min, excluded.free_min),
    free_max = greatest(o.free_max, excluded.free_max),
    full_s = o.full_s + excluded.full_s
