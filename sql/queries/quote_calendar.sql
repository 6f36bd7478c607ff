-- The city's calendar, all years.
-- No parameters.
-- Index: none; a row a year.
SELECT
    year,
    holidays,
    makeup_workdays
FROM city_calendar
ORDER BY year
