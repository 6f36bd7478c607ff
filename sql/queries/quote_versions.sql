-- Every tariff version that prices, or has priced, anything.
-- No parameters.
-- Index: none; reads every published version once.
SELECT
    v.tariff_id,
    v.version,
    v.content_hash,
    v.document::text AS document_text
FROM tariff_version AS v
WHERE (v.tariff_id, v.version) IN (SELECT
    e.tariff_id,
    e.version
FROM tariff_effect AS e)
ORDER BY v.tariff_id, v.version
