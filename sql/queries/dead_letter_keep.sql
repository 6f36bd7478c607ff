-- Keep a refused message, masked, once: the same one again only counts.
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
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (digest) DO UPDATE SET
    times = d.times + excluded.times,
    last_received_at = excluded.last_received_at
