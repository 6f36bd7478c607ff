-- Every operator's id.
-- Parameters: none.
-- Index: operator_pkey.
SELECT operator_id FROM operator;
