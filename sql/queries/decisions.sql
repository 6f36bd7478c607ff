-- name: decisions(at, open_only, after, most)
-- Decisions with their state at a time, by decision_id, from the one after `after` on: all, or those
-- that wait for a second person.
-- Index: decision_pkey.
SELECT
    decision_id, step, subject, asked,
    CASE WHEN state = 'asked' AND lapses_at <= :at THEN 'lapsed' ELSE state END AS state,
    asked_by, asked_at, lapses_at, settled_by, settled_at
FROM decision
WHERE
    decision_id > :after
    AND (NOT :open_only::boolean OR (state = 'asked' AND lapses_at > :at))
ORDER BY decision_id
LIMIT :most;

-- name: locked(decision_id, at)
-- A decision with its state at a time; locked to the transaction's end.
-- Index: decision_pkey.
SELECT
    decision_id, step, subject, asked,
    CASE WHEN state = 'asked' AND lapses_at <= :at THEN 'lapsed' ELSE state END AS state,
    asked_by, asked_at, lapses_at, settled_by, settled_at
FROM decision
WHERE decision_id = :decision_id
FOR UPDATE;

-- name: add(decision_id, step, subject, asked_text, by, at, lapses_at)
-- Ask for a decision; what was asked for is JSON.
-- Index: none; it is added to decision_pkey.
INSERT INTO decision (decision_id, step, subject, asked, state, asked_by, asked_at, lapses_at)
VALUES (
    :decision_id, :step, :subject, (:asked_text::text)::json, 'asked', :by, :at, :lapses_at
)
RETURNING
    decision_id, step, subject, asked, 'asked' AS state, asked_by, asked_at, lapses_at, settled_by,
    settled_at;

-- name: settle(decision_id, state, by, at)
-- Say that a decision is confirmed or withdrawn, by whom and when.
-- Index: decision_pkey.
UPDATE decision SET state = :state, settled_by = :by, settled_at = :at
WHERE decision_id = :decision_id
RETURNING
    decision_id, step, subject, asked, :state::text AS state, asked_by, asked_at, lapses_at,
    settled_by, settled_at;

-- name: take_import(digest, at)
-- The confirmed decision on an import of files with this digest, which is used by it; no row where
-- there is none that is confirmed, unused and not older than its lapse.
-- Index: none; there are few decisions.
UPDATE decision SET used_at = :at
WHERE
    decision_id = (
        SELECT d.decision_id
        FROM decision AS d
        WHERE
            d.step = 'import'
            AND d.state = 'confirmed'
            AND d.used_at IS null
            AND d.lapses_at > :at
            AND d.asked ->> 'digest' = :digest
        ORDER BY d.asked_at
        LIMIT 1
        FOR UPDATE
    )
RETURNING decision_id;
