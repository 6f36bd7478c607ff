-- Whether the city is whole.
-- No parameters.
-- Index: none; reads every lot once.
SELECT
    count(*) AS lots,
    count(*) FILTER (WHERE g.simulated AND s.lot_id IS null) AS lots_awaited
FROM lot AS l
INNER JOIN gateway AS g ON l.gateway_id = g.gateway_id
LEFT JOIN lot_state AS s ON l.lot_id = s.lot_id
