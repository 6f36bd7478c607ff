-- Wait until no other import or issue of credentials is under way, and keep others waiting until
-- the transaction ends.
-- Parameters: none; the number is this lock's own.
-- Index: none.
SELECT pg_advisory_xact_lock(370200);
