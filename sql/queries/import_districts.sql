-- Bring the table district to what is staged; count what was new and what changed.
-- Parameters: none; reads the temporary table staged_district.
-- Index: district_pkey.
WITH written AS (
    INSERT INTO district AS d (adcode, name_zh, name_en, geom)
    SELECT
        s.adcode,
        s.name_zh,
        s.name_en,
        s.geom
    FROM staged_district AS s
    ORDER BY s.adcode
    ON CONFLICT (adcode) DO UPDATE
        SET name_zh = excluded.name_zh, name_en = excluded.name_en, geom = excluded.geom
        WHERE (d.name_zh, d.name_en, d.geom)
        IS DISTINCT FROM (excluded.name_zh, excluded.name_en, excluded.geom)
    RETURNING (d.xmax = 0) AS is_new
)

SELECT
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;
