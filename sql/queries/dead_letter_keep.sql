-- Keep a refused message whole, once: the same one again only counts.
-- $1 digest (SHA-256 of topic and payload)  $2 topic  $3 gateway  $4 lot
-- $5 epoch  $6 seq (null where unreadable)  $7 reason  $8 detail  $9 payload  $10 received_at
-- Index: dead_letter_digest_key.
INSERT INTO dead_letter AS d (
    digest, topic, gateway_id, lot_id, epoch, seq, reason, detail, payload,
    received_at, last_received_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (digest) DO UPDATE SET
    times = d.times + 1,
    last_received_at = excluded.last_received_at
