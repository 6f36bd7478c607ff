-- name: gateways()
-- Each gateway's operator, and how much it may report for: its operator's lots, but for those that
-- are retired, and their spaces.
-- Index: none, both tables are read whole (one row a lot).
SELECT
    g.gateway_id,
    g.operator_id,
    count(l.lot_id) AS lots,
    coalesce(sum(l.capacity), 0) AS spaces
FROM gateway AS g
LEFT JOIN lot AS l ON g.operator_id = l.operator_id AND l.retired_at IS null
GROUP BY g.gateway_id;

-- name: add_steps(lot_id, step_at, capacity, covered_s, space_s, known_space_s, free_space_s, free_last, free_min, free_max, full_s)
-- Add to the occupancy steps of lots; free_* of a later batch win or widen. Each parameter is a list,
-- with one value a step: seconds covered; spaces, known and free ones, each x seconds; the last, the
-- least and the most free spaces; seconds without a free or an unknown space.
-- Index: lot_occupancy_pkey of the step's partition.
INSERT INTO lot_occupancy AS o (
    lot_id, step_at, capacity, covered_s, space_s, known_space_s, free_space_s, free_last,
    free_min, free_max, full_s
)
SELECT
    unnest(:lot_id::text[]), unnest(:step_at::timestamptz[]), unnest(:capacity::integer[]),
    unnest(:covered_s::float8[]), unnest(:space_s::float8[]), unnest(:known_space_s::float8[]),
    unnest(:free_space_s::float8[]), unnest(:free_last::integer[]), unnest(:free_min::integer[]),
    unnest(:free_max::integer[]), unnest(:full_s::float8[])
ON CONFLICT (lot_id, step_at) DO UPDATE SET
    capacity = excluded.capacity,
    covered_s = o.covered_s + excluded.covered_s,
    space_s = o.space_s + excluded.space_s,
    known_space_s = o.known_space_s + excluded.known_space_s,
    free_space_s = o.free_space_s + excluded.free_space_s,
    free_last = excluded.free_last,
    free_min = least(o.free_min, excluded.free_min),
    free_max = greatest(o.free_max, excluded.free_max),
    full_s = o.full_s + excluded.full_s;

-- name: loose_steps(before)
-- The lots that have single steps from before an instant, with the first such day (UTC), oldest first.
-- Index: lot_occupancy_pkey of each partition, one look a lot.
SELECT
    l.lot_id,
    date_bin('1 day', s.first_at, '2000-01-01 00:00:00+00') AS day_at
FROM lot AS l
CROSS JOIN
    LATERAL (
        SELECT min(o.step_at) AS first_at
        FROM lot_occupancy AS o
        WHERE o.lot_id = l.lot_id AND o.step_at < :before
    ) AS s
WHERE s.first_at IS NOT null
ORDER BY day_at, l.lot_id;

-- name: pack_steps(day_at, lot_ids)
-- Pack the steps that lots have of a past day; how many steps.
-- Index: lot_occupancy_pkey of the day's partition, lot_occupancy_fed_pkey.
SELECT pack_steps(:day_at::timestamptz, :lot_ids::text[]);

-- name: beat(ingester, observations)
-- Note that a heartbeat has come through the broker and is being committed, and how many bays and
-- counts were applied from the ingester's start until then.
-- Index: ingester_status_pkey.
INSERT INTO ingester_status AS i (ingester, heartbeat_at, observations)
VALUES (:ingester, clock_timestamp(), :observations)
ON CONFLICT (ingester) DO UPDATE SET
    heartbeat_at = excluded.heartbeat_at,
    observations = excluded.observations;

-- name: stop(ingester, reason)
-- Note why the ingester takes no messages, `internal` or `clock`, or null where it takes them; the
-- time of the same reason stays.
-- Index: ingester_status_pkey.
INSERT INTO ingester_status AS i (ingester, stopped, stopped_at)
VALUES (:ingester, :reason, CASE WHEN :reason::text IS NOT null THEN clock_timestamp() END)
ON CONFLICT (ingester) DO UPDATE SET
    stopped = excluded.stopped,
    stopped_at = excluded.stopped_at
WHERE i.stopped IS DISTINCT FROM excluded.stopped;

-- name: keep_letters(digest, topic, gateway_id, lot_id, epoch, seq, reason, detail, payload, whole, payload_bytes, fault_at, times, received_at, last_received_at)
-- Keep refused messages, masked, once each: the same one again only counts. Each parameter is a
-- list, with one value a message; the digests, which are keyed, are all different. `whole`: whether
-- the masked payload says all; `payload_bytes` came; at byte `fault_at` it stopped being JSON.
-- Index: dead_letter_digest_key.
INSERT INTO dead_letter AS d (
    digest, topic, gateway_id, lot_id, epoch, seq, reason, detail,
    payload, whole, payload_bytes, fault_at, times, received_at, last_received_at
)
SELECT
    unnest(:digest::bytea[]), unnest(:topic::text[]), unnest(:gateway_id::text[]),
    unnest(:lot_id::text[]), unnest(:epoch::bigint[]), unnest(:seq::bigint[]),
    unnest(:reason::text[]), unnest(:detail::text[]), unnest(:payload::text[]),
    unnest(:whole::boolean[]), unnest(:payload_bytes::integer[]), unnest(:fault_at::integer[]),
    unnest(:times::integer[]), unnest(:received_at::timestamptz[]),
    unnest(:last_received_at::timestamptz[])
ON CONFLICT (digest) DO UPDATE SET
    times = d.times + excluded.times,
    last_received_at = excluded.last_received_at;

-- name: repeat_letters(digest, times, last_received_at)
-- Count refused messages that are kept already; give the digests of those. Each parameter is a list:
-- digests, all different, how often each came, and when it came last.
-- Index: dead_letter_digest_key.
UPDATE dead_letter AS d SET
    times = least(d.times + g.times::bigint, 2147483647),
    last_received_at = greatest(d.last_received_at, g.last_received_at)
FROM
    unnest(:digest::bytea[], :times::integer[], :last_received_at::timestamptz[])
        AS g (digest, times, last_received_at)
WHERE d.digest = g.digest
RETURNING d.digest;

-- name: kept_since(since)
-- How many refused messages are kept since a time, by gateway; '' for all that nobody registered.
-- Index: dead_letter_received_at_idx.
SELECT
    coalesce(g.gateway_id, '') AS gateway_id,
    count(*) AS kept
FROM dead_letter AS d
LEFT JOIN gateway AS g ON d.gateway_id = g.gateway_id
WHERE d.received_at >= :since
GROUP BY g.gateway_id;

-- name: expire_letters(before, most)
-- Delete some of the refused messages that were first received before a time; give how many.
-- Index: dead_letter_received_at_idx, dead_letter_pkey.
WITH gone AS (
    DELETE FROM dead_letter
    WHERE
        dead_letter_id IN (
            SELECT o.dead_letter_id
            FROM dead_letter AS o
            WHERE o.received_at < :before
            ORDER BY o.received_at
            LIMIT :most
        )
    RETURNING dead_letter_id
)

SELECT count(*) AS gone FROM gone;

-- name: replay_candidates(gateway_id, since)
-- Messages that were refused by a fault of the platform, by gateway, or of one; received, for the
-- last time, at `since` or later, or ever. Counted: those that can be taken in again; those that
-- were; those that were then refused for their own fault; those of which not all is kept.
-- Index: none, a command of operations reads the table whole.
SELECT
    d.gateway_id,
    count(*) FILTER (WHERE d.whole AND coalesce(d.replay_result = 'rejected: internal', true))
        AS replayable,
    count(*) FILTER (WHERE d.replay_result NOT LIKE 'rejected%') AS replayed,
    count(*) FILTER (
        WHERE d.replay_result LIKE 'rejected%' AND d.replay_result <> 'rejected: internal'
    ) AS refused,
    count(*) FILTER (WHERE NOT d.whole) AS masked
FROM dead_letter AS d
WHERE
    d.reason = 'internal'
    AND (:gateway_id::text IS null OR d.gateway_id = :gateway_id)
    AND (:since::timestamptz IS null OR d.last_received_at >= :since)
GROUP BY d.gateway_id
ORDER BY d.gateway_id;

-- name: request_replay(gateway_id, since, at)
-- Ask for such messages to be taken in again.
-- Index: none, a command of operations reads the table whole.
UPDATE dead_letter AS d SET
    replay_requested_at = :at
WHERE
    d.reason = 'internal' AND d.whole
    AND coalesce(d.replay_result = 'rejected: internal', true)
    AND (:gateway_id::text IS null OR d.gateway_id = :gateway_id)
    AND (:since::timestamptz IS null OR d.last_received_at >= :since)
RETURNING d.dead_letter_id;

-- name: next_replays(most)
-- Messages that are to be taken in again: those of a lot in their own order.
-- Index: dead_letter_replay_idx, in its order.
SELECT
    dead_letter_id, topic, payload, received_at
FROM dead_letter
WHERE replay_requested_at IS NOT null
ORDER BY lot_id, epoch, seq
LIMIT :most;

-- name: end_replay(dead_letter_id, at, result)
-- Note what became of a message that was taken in again.
-- Index: dead_letter_pkey.
UPDATE dead_letter SET
    replay_requested_at = null,
    replayed_at = :at,
    replay_result = :result
WHERE dead_letter_id = :dead_letter_id;

-- name: replay_results(dead_letter_ids)
-- How messages that were asked for have ended; null for those not taken in yet.
-- Index: dead_letter_pkey.
SELECT
    CASE WHEN replay_requested_at IS null THEN replay_result END AS result,
    count(*) AS messages
FROM dead_letter
WHERE dead_letter_id = any(:dead_letter_ids::bigint[])
GROUP BY result
ORDER BY result;
