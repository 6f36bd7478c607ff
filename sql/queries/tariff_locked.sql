-- Lock a tariff to the transaction's end; no row where there is none.
-- $1 tariff_id
-- Index: tariff_pkey.
SELECT tariff_id FROM tariff
WHERE tariff_id = $1
FOR UPDATE
