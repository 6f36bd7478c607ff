-- Whether a zone begins or ends within a time.
-- $1 start, exclusive  $2 end, inclusive
-- Index: none; there are tens of zones.
SELECT EXISTS(
    SELECT 1 FROM zone
    WHERE (valid_from > $1 AND valid_from <= $2) OR (valid_to > $1 AND valid_to <= $2)
)
