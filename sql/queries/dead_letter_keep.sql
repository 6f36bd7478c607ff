-- Keep refused messages, masked, once each: the same one again only counts.
-- Each parameter is a list, with one value a message; the digests are all different.
-- $1 digest (keyed)  $2 topic  $3 gateway  $4 lot, each masked where nobody registered it
-- $5 epoch  $6 seq (null where unreadable)  $7 reason  $8 detail
-- $9 payload, masked  $10 whether that says all  $11 bytes that came
-- $12 byte at which it stopped being JSON, or null
-- $13 how often it came  $14 received_at  $15 last_received_at
-- Index: dead_letter_digest_key.
INSERT INTO dead_letter AS d (
    digest, topic, gateway_id, lot_id, epoch, seq, reason, detail,
    payload, whole, payload_bytes, fault_at, times, received_at, last_received_at
)
SELECT
    m.digest,
    m.topic,
    m.gateway_id,
    m.lot_id,
    m.epoch,
    m.seq,
    m.reason,
    m.detail,
    m.payload,
    m.whole,
    m.payload_bytes,
    m.fault_at,
    m.times,
    m.received_at,
    m.last_received_at
FROM
    unnest(
        $1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
        $8::text[], $9::text[], $10::boolean[], $11::integer[], $12::integer[], $13::integer[],
        $14::timestamptz[], $15::timestamptz[]
    ) AS m (
        digest, topic, gateway_id, lot_id, epoch, seq, reason, detail,
        payload, whole, payload_bytes, fault_at, times, received_at, last_received_at
    )
ON CONFLICT (digest) DO UPDATE SET
    times = d.times + excluded.times,
    last_received_at = excluded.last_received_at
