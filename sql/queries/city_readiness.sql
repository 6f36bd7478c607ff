-- Whether the city is whole, and the ingester at work.
-- Parameters: $1 how old the ingester's heartbeat may be, interval.
-- Index: none; reads every lot once.
SELECT
    c.lots,
    c.lots_awaited,
    i.stopped,
    coalesce(i.heartbeat_at >= now() - $1::interval, false) AS is_beating
FROM (
    SELECT
        count(*) AS lots,
        count(*) FILTER (WHERE g.simulated AND s.lot_id IS null) AS lots_awaited
    FROM lot AS l
    INNER JOIN gateway AS g ON l.gateway_id = g.gateway_id
    LEFT JOIN lot_state AS s ON l.lot_id = s.lot_id
) AS c
LEFT JOIN ingester_status AS i ON i.ingester = 'ingester'
