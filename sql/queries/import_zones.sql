-- Bring the table zone to what is staged, the end of a zone kept where none is given; count what
-- was new and changed.
-- Parameters: none; reads the temporary table staged_zone.
-- Index: zone_pkey.
WITH written AS (
    INSERT INTO zone AS z (zone_id, name_zh, name_en, zone_class, valid_from, valid_to, geom)
    SELECT
        s.zone_id,
        s.name_zh,
        s.name_en,
        s.zone_class,
        s.valid_from,
        s.valid_to,
        s.geom
    FROM staged_zone AS s
    ORDER BY s.zone_id
    ON CONFLICT (zone_id) DO UPDATE
        SET
            name_zh = excluded.name_zh,
            name_en = excluded.name_en,
            zone_class = excluded.zone_class,
            valid_from = excluded.valid_from,
            valid_to = coalesce(excluded.valid_to, z.valid_to),
            geom = excluded.geom
        WHERE (z.name_zh, z.name_en, z.zone_class, z.valid_from, z.valid_to, z.geom)
        IS DISTINCT FROM (
            excluded.name_zh, excluded.name_en, excluded.zone_class,
            excluded.valid_from, coalesce(excluded.valid_to, z.valid_to), excluded.geom
        )
    RETURNING (z.xmax = 0) AS is_new
)

SELECT
    count(*) FILTER (WHERE is_new) AS added,
    count(*) FILTER (WHERE NOT is_new) AS changed
FROM written;
