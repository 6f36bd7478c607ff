-- Store a gateway's new password.
-- Parameters: $1 gateway_id, text; $2 the password's hash as mosquitto writes it, text.
-- Index: gateway_pkey.
UPDATE gateway SET password_hash = $2
WHERE gateway_id = $1;
