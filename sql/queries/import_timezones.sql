-- The time zones that the database can count in: an unknown one would break every reading of lots.
-- Parameters: none.
-- Index: none.
SELECT name FROM pg_timezone_names;
