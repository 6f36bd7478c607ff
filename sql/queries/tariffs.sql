-- name: versions(at, tariff_id, version, state, zone, lot_type, lot, include_drafts, after_tariff, after_version, most)
-- Tariff versions with their state at a time, by tariff_id and version: those that fit each filter
-- that is not null, from after one on, at most so many; those that were never published too, or
-- not. They are in force in [effective_from, effective_to).
-- Index: tariff_version_pkey, tariff_effect_tariff_id_version_idx.
SELECT *
FROM (
    SELECT
        v.tariff_id, v.version, v.document -> 'name' AS name,
        CASE
            WHEN v.state <> 'published' THEN v.state
            WHEN e.effective_from > :at THEN 'scheduled'
            WHEN e.effective_to <= :at THEN 'superseded'
            ELSE 'in_force'
        END AS state,
        v.content_hash AS hash,
        json_build_object('zones', v.zones, 'lot_types', v.lot_types, 'lots', v.lots) AS applies_to,
        v.copy_of, e.effective_from, e.effective_to, v.published_at,
        CASE
            WHEN v.issuing_office_zh IS NOT null
                THEN json_build_object('zh', v.issuing_office_zh, 'en', v.issuing_office_en)
        END AS issuing_office,
        v.document_number, v.issued_on, v.document, v.imported,
        v.drafted_by, v.drafted_at, v.submitted_by, v.submitted_at, v.approved_by, v.approved_at,
        v.published_by, v.withdrawn_by, v.withdrawn_at
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
        (:tariff_id::text IS null OR v.tariff_id = :tariff_id)
        AND (:version::integer IS null OR v.version = :version)
        AND (:zone::text IS null OR :zone = any(v.zones))
        AND (:lot_type::text IS null OR :lot_type = any(v.lot_types))
        AND (:lot::text IS null OR :lot = any(v.lots))
        AND (:include_drafts::boolean OR v.published_at IS NOT null)
        AND (
            :after_tariff::text IS null
            OR (v.tariff_id, v.version) > (:after_tariff, :after_version::integer)
        )
) AS found
WHERE :state::text IS null OR state = :state
ORDER BY tariff_id, version
LIMIT :most;

-- name: lock_version(tariff_id, version)
-- Lock a version to the transaction's end; no row where there is none.
-- Index: tariff_version_pkey.
SELECT version FROM tariff_version
WHERE tariff_id = :tariff_id AND version = :version
FOR NO KEY UPDATE;

-- name: settle(tariff_id, version, state, by, at, office_zh, office_en, document_number, issued_on)
-- Say that a version is in_review, approved, published or withdrawn, by whom and when; and of one
-- that is published what its notice says of itself. Give it, its effects being as they will be.
-- Index: tariff_version_pkey, tariff_effect_tariff_id_version_idx.
UPDATE tariff_version AS v
SET
    state = :state,
    submitted_by = CASE WHEN :state = 'in_review' THEN :by ELSE v.submitted_by END,
    submitted_at = CASE WHEN :state = 'in_review' THEN :at ELSE v.submitted_at END,
    approved_by = CASE WHEN :state = 'approved' THEN :by ELSE v.approved_by END,
    approved_at = CASE WHEN :state = 'approved' THEN :at ELSE v.approved_at END,
    published_by = CASE WHEN :state = 'published' THEN :by ELSE v.published_by END,
    published_at = CASE WHEN :state = 'published' THEN :at ELSE v.published_at END,
    withdrawn_by = CASE WHEN :state = 'withdrawn' THEN :by ELSE v.withdrawn_by END,
    withdrawn_at = CASE WHEN :state = 'withdrawn' THEN :at ELSE v.withdrawn_at END,
    issuing_office_zh = coalesce(:office_zh, v.issuing_office_zh),
    issuing_office_en = coalesce(:office_en, v.issuing_office_en),
    document_number = coalesce(:document_number, v.document_number),
    issued_on = coalesce(:issued_on, v.issued_on)
FROM (
    SELECT
        min(lower(x.effective)) AS effective_from,
        CASE WHEN NOT bool_or(upper_inf(x.effective)) THEN max(upper(x.effective)) END
            AS effective_to
    FROM tariff_effect AS x
    WHERE x.tariff_id = :tariff_id AND x.version = :version
) AS e
WHERE v.tariff_id = :tariff_id AND v.version = :version
RETURNING
    v.tariff_id, v.version, v.document -> 'name' AS name,
    CASE
        WHEN v.state <> 'published' THEN v.state
        WHEN e.effective_from > :at THEN 'scheduled'
        ELSE 'in_force'
    END AS state,
    v.content_hash AS hash,
    json_build_object('zones', v.zones, 'lot_types', v.lot_types, 'lots', v.lots) AS applies_to,
    v.copy_of, e.effective_from, e.effective_to, v.published_at,
    CASE
        WHEN v.issuing_office_zh IS NOT null
            THEN json_build_object('zh', v.issuing_office_zh, 'en', v.issuing_office_en)
    END AS issuing_office,
    v.document_number, v.issued_on, v.document, v.imported,
    v.drafted_by, v.drafted_at, v.submitted_by, v.submitted_at, v.approved_by, v.approved_at,
    v.published_by, v.withdrawn_by, v.withdrawn_at;

-- name: add_tariff(tariff_id, by, at)
-- Make a tariff; no row where its id is taken.
-- Index: tariff_pkey.
INSERT INTO tariff (tariff_id, created_by, created_at)
VALUES (:tariff_id, :by, :at)
ON CONFLICT (tariff_id) DO NOTHING
RETURNING tariff_id;

-- name: lock_tariff(tariff_id)
-- Lock a tariff to the transaction's end; no row where there is none.
-- Index: tariff_pkey.
SELECT tariff_id FROM tariff
WHERE tariff_id = :tariff_id
FOR UPDATE;

-- name: newest(tariff_id)
-- The number of a tariff's newest version; 0 for none.
-- Index: tariff_version_pkey.
SELECT coalesce(max(version), 0) FROM tariff_version
WHERE tariff_id = :tariff_id;

-- name: add_version(tariff_id, version, document_text, content_hash, zones, lot_types, lots, copy_of, by, at)
-- Draft a version of a tariff: its document as JSON, its hash, what it applies to, and the version
-- that it goes back to, or null.
-- Index: tariff_version_pkey.
INSERT INTO tariff_version (
    tariff_id, version, document, content_hash, zones, lot_types, lots, copy_of, drafted_by,
    drafted_at
)
VALUES (
    :tariff_id, :version, (:document_text::text)::json, :content_hash, :zones, :lot_types, :lots,
    :copy_of, :by, :at
);

-- name: change_draft(tariff_id, version, document_text, content_hash, zones, lot_types, lots, at)
-- Write a draft anew.
-- Index: tariff_version_pkey.
UPDATE tariff_version
SET
    document = (:document_text::text)::json,
    content_hash = :content_hash,
    zones = :zones,
    lot_types = :lot_types,
    lots = :lots,
    drafted_at = :at
WHERE tariff_id = :tariff_id AND version = :version AND state = 'draft';

-- name: unknown_targets(zones, lots)
-- Of some zones and lots those that are not there, by `kind` (zone or lot) and id.
-- Index: zone_pkey, lot_pkey.
SELECT
    'zone' AS kind,
    given.id
FROM unnest(:zones::text[]) AS given (id)
WHERE
    NOT EXISTS (
        SELECT 1 FROM zone
        WHERE zone.zone_id = given.id
    )
UNION ALL
SELECT
    'lot' AS kind,
    given.id
FROM unnest(:lots::text[]) AS given (id)
WHERE
    NOT EXISTS (
        SELECT 1 FROM lot
        WHERE lot.lot_id = given.id
    )
ORDER BY kind, id;

-- name: later_versions(tariff_id, at)
-- The versions of a tariff that come into force at a time or after it.
-- Index: tariff_effect_tariff_id_version_idx.
SELECT DISTINCT version
FROM tariff_effect
WHERE tariff_id = :tariff_id AND lower(effective) >= :at
ORDER BY version;

-- name: newer_versions(tariff_id, version)
-- The versions of a tariff that were drafted after one, and are published.
-- Index: tariff_version_pkey.
SELECT version
FROM tariff_version
WHERE tariff_id = :tariff_id AND version > :version AND state = 'published'
ORDER BY version;

-- name: overlapping(zones, lot_types, lots, starts_at, ends_at)
-- What is priced already within [starts_at, ends_at), or on without end: of the same zone and lot
-- type, or the same lot.
-- Index: tariff_effect_zone_excl, tariff_effect_lot_excl.
SELECT
    tariff_id, version, zone_id, lot_type, lot_id, lower(effective) AS starts_at,
    upper(effective) AS ends_at, planned_to
FROM tariff_effect
WHERE
    effective && tstzrange(:starts_at, :ends_at)
    AND (
        (zone_id = any(:zones::text[]) AND lot_type = any(:lot_types::text[]))
        OR lot_id = any(:lots::text[])
    )
ORDER BY tariff_id, version, zone_id, lot_type, lot_id;

-- name: add_effects(tariff_id, version, zones, lot_types, lots, starts_at, ends_at)
-- Have a version price each of some zones with each of some lot types, or some lots, within
-- [starts_at, ends_at), or on without end.
-- Index: none; the exclusion constraints refuse what overlaps.
INSERT INTO tariff_effect (
    tariff_id, version, zone_id, lot_type, lot_id, effective, planned_to
)
SELECT
    :tariff_id, :version, priced.zone_id, priced.lot_type, priced.lot_id,
    tstzrange(:starts_at, :ends_at), :ends_at
FROM (
    SELECT z.zone_id, t.lot_type, null AS lot_id
    FROM unnest(:zones::text[]) AS z (zone_id)
    CROSS JOIN unnest(:lot_types::text[]) AS t (lot_type)
    UNION ALL
    SELECT null AS zone_id, null AS lot_type, l.lot_id
    FROM unnest(:lots::text[]) AS l (lot_id)
) AS priced;

-- name: cut_effects(tariff_id, at, version)
-- Let whatever a tariff prices, or one version of it, end at a time.
-- Index: tariff_effect_tariff_id_version_idx.
UPDATE tariff_effect
SET effective = tstzrange(lower(effective), :at)
WHERE
    tariff_id = :tariff_id
    AND lower(effective) < :at
    AND (upper_inf(effective) OR upper(effective) > :at)
    AND (:version::integer IS null OR version = :version);

-- name: remove_effects(tariff_id, version, at)
-- Take back what a version is to price after a time, and what it would have priced already, were
-- its start not held back by a suspension; give when each part was to begin.
-- Index: tariff_effect_tariff_id_version_idx, tariff_suspension_version_excl.
DELETE FROM tariff_effect AS e
WHERE
    e.tariff_id = :tariff_id
    AND e.version = :version
    AND (
        lower(e.effective) > :at
        OR EXISTS (
            SELECT 1 FROM tariff_suspension AS s
            WHERE
                s.tariff_id = e.tariff_id
                AND s.version = e.version
                AND s.during @> :at::timestamptz
                AND lower(s.during) < lower(e.effective)
        )
    )
RETURNING lower(effective);

-- name: restore_effects(tariff_id, at)
-- Let what a tariff's published versions price until a time, at which another would have taken
-- over, go on to the end that was meant.
-- Index: tariff_effect_tariff_id_version_idx.
UPDATE tariff_effect AS e
SET effective = tstzrange(lower(e.effective), e.planned_to)
FROM tariff_version AS v
WHERE
    e.tariff_id = :tariff_id
    AND upper(e.effective) = :at
    AND e.planned_to IS DISTINCT FROM :at
    AND v.tariff_id = e.tariff_id
    AND v.version = e.version
    AND v.state = 'published';

-- name: latest_suspension(tariff_id, version, at)
-- The latest suspension of a version, with its state at a time; no row where there was none.
-- Index: tariff_suspension_version_excl.
SELECT
    suspension_id, tariff_id, version, lower(during) AS suspended_from,
    upper(during) AS suspended_to, reason,
    CASE
        WHEN resumed_at IS NOT null THEN 'resumed'
        WHEN confirmed_at IS NOT null THEN 'confirmed'
        WHEN upper(during) <= :at THEN 'lapsed'
        ELSE 'unconfirmed'
    END AS state,
    suspended_by, confirmed_by, confirmed_at, resumed_by, resumed_at
FROM tariff_suspension
WHERE tariff_id = :tariff_id AND version = :version
ORDER BY lower(during) DESC
LIMIT 1;

-- name: suspensions(at)
-- All suspensions with their state at a time, the newest first.
-- Index: none; there are few.
SELECT
    suspension_id, tariff_id, version, lower(during) AS suspended_from,
    upper(during) AS suspended_to, reason,
    CASE
        WHEN resumed_at IS NOT null THEN 'resumed'
        WHEN confirmed_at IS NOT null THEN 'confirmed'
        WHEN upper(during) <= :at THEN 'lapsed'
        ELSE 'unconfirmed'
    END AS state,
    suspended_by, confirmed_by, confirmed_at, resumed_by, resumed_at
FROM tariff_suspension
ORDER BY suspension_id DESC;

-- name: has_lapsed(tariff_id, version, by)
-- Whether a suspension of a version by somebody was never confirmed.
-- Index: tariff_suspension_version_excl.
SELECT
    exists(
        SELECT 1 FROM tariff_suspension
        WHERE
            tariff_id = :tariff_id
            AND version = :version
            AND suspended_by = :by
            AND confirmed_at IS null
            AND resumed_at IS null
    );

-- name: suspend(tariff_id, version, by, at, lapses_at, reason)
-- Suspend a version from now on, until it lapses.
-- Index: none; the exclusion constraint refuses a second at a time.
INSERT INTO tariff_suspension (tariff_id, version, during, reason, suspended_by)
VALUES (:tariff_id, :version, tstzrange(:at, :lapses_at), :reason, :by)
RETURNING
    suspension_id, tariff_id, version, lower(during) AS suspended_from,
    upper(during) AS suspended_to, reason, 'unconfirmed' AS state,
    suspended_by, confirmed_by, confirmed_at, resumed_by, resumed_at;

-- name: confirm_suspension(suspension_id, by, at)
-- Let a suspension last.
-- Index: tariff_suspension_pkey.
UPDATE tariff_suspension
SET during = tstzrange(lower(during), null), confirmed_by = :by, confirmed_at = :at
WHERE suspension_id = :suspension_id
RETURNING
    suspension_id, tariff_id, version, lower(during) AS suspended_from,
    upper(during) AS suspended_to, reason, 'confirmed' AS state,
    suspended_by, confirmed_by, confirmed_at, resumed_by, resumed_at;

-- name: resume(suspension_id, by, at)
-- Let a suspension end; its window is kept.
-- Index: tariff_suspension_pkey.
UPDATE tariff_suspension
SET
    during = tstzrange(lower(during), greatest(:at, lower(during) + interval '1 microsecond')),
    resumed_by = :by, resumed_at = :at
WHERE suspension_id = :suspension_id
RETURNING
    suspension_id, tariff_id, version, lower(during) AS suspended_from,
    upper(during) AS suspended_to, reason, 'resumed' AS state,
    suspended_by, confirmed_by, confirmed_at, resumed_by, resumed_at;
