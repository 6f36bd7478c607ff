-- name: enrolments(most, after)
-- Enrolments by enrolment_id, from the one after `after` on.
-- Index: enrolment_pkey.
SELECT
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,
    confirmed_by, confirmed_at, code_expires_at, completed_at, key_id
FROM enrolment
WHERE enrolment_id > :after
ORDER BY enrolment_id
LIMIT :most;

-- name: locked(enrolment_id)
-- An enrolment; locked to the transaction's end.
-- Index: enrolment_pkey.
SELECT
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,
    confirmed_by, confirmed_at, code_expires_at, completed_at, key_id
FROM enrolment
WHERE enrolment_id = :enrolment_id
FOR UPDATE;

-- name: start(enrolment_id, kind, person_id, name, roles, operator_id, by, at)
-- Start an enrolment.
-- Index: none; it is added to enrolment_pkey.
INSERT INTO enrolment (
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at
)
VALUES (
    :enrolment_id, :kind, :person_id, :name, :roles, :operator_id, 'started', :by, :at
)
RETURNING
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,
    confirmed_by, confirmed_at, code_expires_at, completed_at, key_id;

-- name: confirm(enrolment_id, by, at, code_hash, code_expires_at)
-- Confirm an enrolment: from here on its code may be tried; one of before is good no more.
-- Index: enrolment_pkey.
UPDATE enrolment SET
    state = 'confirmed',
    confirmed_by = :by,
    confirmed_at = :at,
    code_hash = :code_hash,
    code_expires_at = :code_expires_at,
    tries = 0
WHERE enrolment_id = :enrolment_id
RETURNING
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,
    confirmed_by, confirmed_at, code_expires_at, completed_at, key_id;

-- name: take_try(enrolment_id, at, most)
-- Count a try of a code; no row where none is left, the code is too old, or there is none.
-- Index: enrolment_pkey.
UPDATE enrolment SET tries = tries + 1
WHERE
    enrolment_id = :enrolment_id
    AND state = 'confirmed'
    AND tries < :most::integer
    AND code_expires_at > :at
RETURNING person_id, kind, code_hash;

-- name: has_code(enrolment_id, code_hash)
-- Whether an enrolment is confirmed, and its code is still that one.
-- Index: enrolment_pkey.
SELECT
    exists(
        SELECT 1 FROM enrolment
        WHERE
            enrolment_id = :enrolment_id AND state = 'confirmed' AND code_hash = :code_hash
    );

-- name: complete(enrolment_id, at, key_id)
-- Complete an enrolment; its code is used.
-- Index: enrolment_pkey.
UPDATE enrolment SET
    state = 'completed', completed_at = :at, key_id = :key_id, code_hash = null
WHERE enrolment_id = :enrolment_id
RETURNING
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,
    confirmed_by, confirmed_at, code_expires_at, completed_at, key_id;

-- name: withdraw(enrolment_id)
-- Withdraw an enrolment; its code is good for nothing any more.
-- Index: enrolment_pkey.
UPDATE enrolment SET state = 'withdrawn', code_hash = null
WHERE enrolment_id = :enrolment_id
RETURNING
    enrolment_id, kind, person_id, name, roles, operator_id, state, started_by, started_at,
    confirmed_by, confirmed_at, code_expires_at, completed_at, key_id;
