-- Every district with its polygon as WKB, WGS 84 degrees.
-- Parameters: none.
-- Index: none, the table is read whole.
SELECT
    adcode,
    st_asbinary(geom) AS wkb
FROM district;
