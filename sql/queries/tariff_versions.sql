-- A page of tariff versions with their state at a time, by tariff_id and version.
-- $1 the time  $2 tariff_id, or null  $3 version, or null
-- $4 state, $5 zone_id, $6 lot_type, $7 lot_id that it applies to, or null each
-- $8 whether those that were never published are among them
-- $9 tariff_id and $10 version to start after, or null and 0  $11 the most to give
-- Index: tariff_version_pkey, tariff_effect_tariff_id_version_idx.
SELECT *
FROM (
    SELECT
        v.tariff_id,
        v.version,
        v.document::text AS document_text,
        v.content_hash,
        v.zones,
        v.lot_types,
        v.lots,
        v.copy_of,
        v.imported,
        v.drafted_by,
        v.drafted_at,
        v.submitted_by,
        v.submitted_at,
        v.approved_by,
        v.approved_at,
        v.published_by,
        v.published_at,
        v.withdrawn_by,
        v.withdrawn_at,
        e.effective_from,
        e.effective_to,
        CASE
            WHEN v.state <> 'published' THEN v.state
            WHEN e.effective_from > $1 THEN 'scheduled'
            WHEN e.effective_to <= $1 THEN 'superseded'
            ELSE 'in_force'
        END AS state
    FROM tariff_version AS v
    LEFT JOIN LATERAL (
        SELECT
            min(lower(x.effective)) AS effective_from,
            CASE WHEN NOT bool_or(upper_inf(x.effective)) THEN max(upper(x.effective)) END
                AS effective_to
        FROM tariff_effect AS x
        WHERE x.tariff_id = v.tariff_id AND x.version = v.version
    ) AS e ON true
    WHERE
        ($2::text IS null OR v.tariff_id = $2)
        AND ($3::integer IS null OR v.version = $3)
        AND ($5::text IS null OR $5 = any(v.zones))
        AND ($6::text IS null OR $6 = any(v.lot_types))
        AND ($7::text IS null OR $7 = any(v.lots))
        AND ($8::boolean OR v.published_at IS NOT null)
        AND ($9::text IS null OR (v.tariff_id, v.version) > ($9, $10::integer))
) AS found
WHERE $4::text IS null OR state = $4
ORDER BY tariff_id, version
LIMIT $11
