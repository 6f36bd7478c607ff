-- The operator whom the demo's operator is of: the one to try things with, or else the first.
-- Parameters: none.
-- Index: none; there are some hundred.
SELECT operator_id
FROM operator
ORDER BY operator_id <> 'op-try', operator_id
LIMIT 1;
