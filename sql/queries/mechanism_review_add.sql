-- Record a review of a price mechanism under its next number; the mechanism is locked before.
-- $1 mechanism_id  $2 when  $3 by whom  $4 the mechanism as it is
-- $5 start, $6 end, exclusive: of the history read  $7 lots in it
-- $8 tariff_id, $9 version: in force  $10 the proposals
-- Index: mechanism_review_pkey.
INSERT INTO mechanism_review (
    mechanism_id, number, reviewed_at, reviewed_by, definition, read_from, read_to, lots,
    tariff_id, version, proposals
)
VALUES (
    $1,
    (
        SELECT coalesce(max(r.number), 0) + 1
        FROM mechanism_review AS r
        WHERE r.mechanism_id = $1
    ),
    $2, $3, $4, $5, $6, $7, $8, $9, $10
)
RETURNING number
