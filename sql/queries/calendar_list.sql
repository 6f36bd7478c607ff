-- The city's calendar, year by year.
-- No parameters.
-- Index: none; a row a year.
SELECT
    year,
    holidays,
    makeup_workdays,
    published_by,
    published_at
FROM city_calendar
ORDER BY year
