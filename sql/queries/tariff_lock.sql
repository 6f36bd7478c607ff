-- Wait until nobody else publishes or ends zones, tariffs or price controls, and keep others
-- waiting until the transaction ends. A statement of its own: the next must see what was committed
-- before.
-- $1 the lock's number, `AdvisoryLock.TARIFFS`
-- Index: none.
SELECT pg_advisory_xact_lock($1);
