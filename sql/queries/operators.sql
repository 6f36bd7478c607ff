-- name: see(operator)
-- Have policies show an operator's gateways and refused messages, or all: `*`; for the connection.
-- Index: none.
SELECT set_config('onelot.operator', :operator, false);

-- name: operators(after, most, operator_id)
-- Operators by operator_id, from the one after `after` on, each with what it runs; or one of them.
-- Lots that are retired do not count.
-- Index: operator_pkey, lot_operator_id_idx, gateway_operator_id_idx.
SELECT
    o.operator_id,
    json_build_object('zh', o.name_zh, 'en', o.name_en) AS name,
    l.lots,
    l.spaces,
    g.gateways,
    g.gateways_with_credentials
FROM operator AS o
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS lots,
            coalesce(sum(own.capacity), 0) AS spaces
        FROM lot AS own
        WHERE own.operator_id = o.operator_id AND own.retired_at IS null
    ) AS l
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS gateways,
            count(own.password_hash) AS gateways_with_credentials
        FROM gateway AS own
        WHERE own.operator_id = o.operator_id
    ) AS g
WHERE o.operator_id > :after AND (:operator_id::text IS null OR o.operator_id = :operator_id)
ORDER BY o.operator_id
LIMIT :most;

-- name: credentials()
-- Every gateway with its password's hash and the lots that it reports for: of retired ones nothing
-- is taken.
-- Index: lot_gateway_id_idx, or none for many gateways.
SELECT
    g.gateway_id,
    g.simulated,
    g.password_hash,
    g.password_by_person,
    coalesce(
        array_agg(l.lot_id ORDER BY l.lot_id) FILTER (WHERE l.lot_id IS NOT null), '{}'
    ) AS lots
FROM gateway AS g
LEFT JOIN lot AS l ON g.gateway_id = l.gateway_id AND l.retired_at IS null
GROUP BY g.gateway_id
ORDER BY g.gateway_id;

-- name: logins()
-- Every gateway that has a password, with its hash.
-- Index: none, the table is read whole (one row a gateway).
SELECT
    gateway_id,
    password_hash
FROM gateway
WHERE password_hash IS NOT null;

-- name: gateway(operator_id, gateway_id)
-- An operator's gateway, held until the transaction ends: whether it has a password.
-- Index: gateway_pkey.
SELECT
    gateway_id,
    password_hash IS NOT null AS has_password
FROM gateway
WHERE gateway_id = :gateway_id AND operator_id = :operator_id
FOR UPDATE;

-- name: set_by_person(gateway_id, password_hash)
-- Store the password that a person issued, hashed as mosquitto writes it; null revokes it.
-- Index: gateway_pkey.
UPDATE gateway SET password_hash = :password_hash, password_by_person = true
WHERE gateway_id = :gateway_id;

-- name: set_password(gateway_id, password_hash)
-- Store a gateway's new password, hashed as mosquitto writes it.
-- Index: gateway_pkey.
UPDATE gateway SET password_hash = :password_hash
WHERE gateway_id = :gateway_id;
