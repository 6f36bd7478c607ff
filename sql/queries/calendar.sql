-- name: add_year(year, holidays, makeup_workdays, by, at)
-- Publish a year of the city's calendar; no row where it is published already.
-- Index: city_calendar_pkey.
INSERT INTO city_calendar (year, holidays, makeup_workdays, published_by, published_at)
VALUES (:year, :holidays, :makeup_workdays, :by, :at)
ON CONFLICT (year) DO NOTHING
RETURNING year, holidays, makeup_workdays, published_at, published_by;
