-- Publish a year's calendar; no row where it is published already.
-- $1 year  $2 holidays, $3 make-up workdays: dates  $4 by whom  $5 when
-- Index: city_calendar_pkey.
INSERT INTO city_calendar (year, holidays, makeup_workdays, published_by, published_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (year) DO NOTHING
RETURNING year, holidays, makeup_workdays, published_by, published_at
