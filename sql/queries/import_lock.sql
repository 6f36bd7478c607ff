-- Wait until no other import or issue of credentials is under way, and keep others waiting until
-- the transaction ends.
-- $1 the lock's number, `AdvisoryLock.REGISTRATION`
-- Index: none.
SELECT pg_advisory_xact_lock($1)
