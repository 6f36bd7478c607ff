-- Wait until no other transaction is adding to the audit, and keep others waiting until this one
-- ends. A statement of its own: the next one must see what the one before has committed.
-- $1 the lock's number, `AdvisoryLock.AUDIT`
-- Index: none.
SELECT pg_advisory_xact_lock($1);
