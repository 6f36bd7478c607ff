-- Count refused messages that are kept already; give the digests of those.
-- $1 digests, all different  $2 how often each came  $3 when each came last
-- Index: dead_letter_digest_key.
UPDATE dead_letter AS d SET
    times = least(d.times + g.times::bigint, 2147483647),
    last_received_at = greatest(d.last_received_at, g.last_received_at)
FROM unnest($1::bytea[], $2::integer[], $3::timestamptz[]) AS g (digest, times, last_received_at)
WHERE d.digest = g.digest
RETURNING d.digest
