-- The functions of the history: its partitions, and its days that are packed.
-- noqa: disable=LT02,LT09,RF02,RF04

CREATE OR REPLACE FUNCTION make_partition(parent text, begins date, ends date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC' AS $$
DECLARE
    made text := format('%s_p%s', parent, to_char(begins, 'YYYYMMDD'));
    key text := CASE
        WHEN parent IN ('space_event', 'count_event') THEN 'received_at'
        WHEN parent = 'lot_occupancy' THEN 'step_at'
        WHEN parent IN ('lot_occupancy_day', 'lot_occupancy_fed') THEN 'day_at'
    END;
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'not a table of the history: %', parent;
    END IF;
    -- Of one day, or of one month: a longer one would be dropped by its name, with what is young.
    IF begins > current_date + 366
        OR parent !~ '^lot_occupancy' AND ends <> begins + 1
        OR parent ~ '^lot_occupancy' AND (
            begins <> date_trunc('month', begins)::date OR ends <> (begins + interval '1 month')::date
        )
    THEN
        RAISE EXCEPTION 'not a range of %: % to %', parent, begins, ends
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format(
        'CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
        made, parent
    );
    EXECUTE format(
        'WITH moved AS (DELETE FROM public.%I WHERE %I >= $1::timestamptz AND %I < $2'
        '::timestamptz RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
        parent || '_default', key, key, made
    ) USING begins, ends;
    EXECUTE format(
        'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        parent, made, begins::timestamptz, ends::timestamptz
    );
    RETURN made;
END $$;
COMMENT ON FUNCTION make_partition IS
'Make the partition of a history table for the days from begins to before ends (UTC).';

CREATE OR REPLACE FUNCTION drop_partition(parent text, dropped text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC' AS $$
    DECLARE
        kept integer;
        ends timestamptz;
    BEGIN
        IF parent NOT IN (
            'space_event', 'count_event', 'lot_occupancy', 'lot_occupancy_day', 'lot_occupancy_fed'
        )
            OR dropped !~ ('^' || parent || '_p[0-9]{8}$')
        THEN
            RAISE EXCEPTION 'not a partition of the history: %', dropped;
        END IF;
        -- Days of imports, and packed ones, are kept as long as what feeds have written.
        SELECT days INTO STRICT kept FROM public.retention
        WHERE table_name = regexp_replace(parent, 'occupancy_(day|fed)$', 'occupancy');
        ends := to_date(right(dropped, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC'
            + CASE WHEN parent ~ '^lot_occupancy' THEN interval '1 month' ELSE interval '1 day' END;
        IF ends > now() - make_interval(days => kept) THEN
            RAISE EXCEPTION '% is kept for % days', dropped, kept
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        EXECUTE format('DROP TABLE public.%I', dropped);
    END $$;
COMMENT ON FUNCTION drop_partition IS
'Drop a dated partition of a history table, unless it is younger than the table retention says.';

CREATE OR REPLACE FUNCTION pack_steps(packed_at timestamptz, packed_lots text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    DECLARE
        packed bigint;
    BEGIN
        IF packed_at > now() - interval '48 h' THEN
            RAISE EXCEPTION 'feeds still write the day of %', packed_at
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        WITH moved AS (
            DELETE FROM public.lot_occupancy AS o
            WHERE
                o.lot_id = any(packed_lots)
                AND o.step_at >= packed_at
                AND o.step_at < packed_at + interval '24 h'
            RETURNING o.*
        ),

        -- What was packed before comes first: a step that came late is added to it, as
        -- `add_steps` does.
        known AS (
            SELECT
                p.lot_id, s.place, 0 AS turn,
                coalesce(s.capacity, p.capacity[1]) AS capacity,
                coalesce(s.covered_s, p.covered_s[1]) AS covered_s,
                coalesce(s.free_space_s, p.free_space_s[1]) AS free_space_s,
                s.free_last,
                coalesce(s.free_min, p.free_min[1]) AS free_min,
                coalesce(s.free_max, p.free_max[1]) AS free_max,
                coalesce(s.full_s, p.full_s[1]) AS full_s,
                coalesce(s.space_s, p.space_s[1]) AS space_s,
                coalesce(s.known_space_s, p.known_space_s[1]) AS known_space_s
            FROM public.lot_occupancy_fed AS p
            CROSS JOIN LATERAL unnest(
                p.capacity, p.covered_s, p.free_space_s, p.free_last, p.free_min, p.free_max,
                p.full_s, p.space_s, p.known_space_s
            ) WITH ORDINALITY AS s (
                capacity, covered_s, free_space_s, free_last, free_min, free_max, full_s, space_s,
                known_space_s, place
            )
            WHERE
                p.day_at = packed_at
                AND p.lot_id IN (SELECT m.lot_id FROM moved AS m)
                AND s.free_last IS NOT NULL
            UNION ALL
            SELECT
                m.lot_id, 1 + extract(EPOCH FROM m.step_at - packed_at)::bigint / 300, 1,
                m.capacity, m.covered_s, m.free_space_s, m.free_last, m.free_min, m.free_max,
                m.full_s, m.space_s, m.known_space_s
            FROM moved AS m
        ),

        step AS (
            SELECT
                k.lot_id, k.place,
                (array_agg(k.capacity ORDER BY k.turn DESC))[1] AS capacity,
                sum(k.covered_s) AS covered_s, sum(k.free_space_s) AS free_space_s,
                (array_agg(k.free_last ORDER BY k.turn DESC))[1] AS free_last,
                min(k.free_min) AS free_min, max(k.free_max) AS free_max, sum(k.full_s) AS full_s,
                sum(k.space_s) AS space_s, sum(k.known_space_s) AS known_space_s
            FROM known AS k
            GROUP BY k.lot_id, k.place
        ),

        written AS (
            INSERT INTO public.lot_occupancy_fed AS p (
                lot_id, day_at, capacity, covered_s, free_space_s, free_last, free_min, free_max,
                full_s, space_s, known_space_s
            )
            SELECT
                l.lot_id, packed_at,
                CASE
                    WHEN min(s.capacity) = max(s.capacity) THEN ARRAY[min(s.capacity)]
                    ELSE array_agg(s.capacity ORDER BY g.place)
                END,
                CASE
                    WHEN min(s.covered_s) = max(s.covered_s) THEN ARRAY[min(s.covered_s)]
                    ELSE array_agg(s.covered_s ORDER BY g.place)
                END,
                CASE
                    WHEN min(s.free_space_s) = max(s.free_space_s) THEN ARRAY[min(s.free_space_s)]
                    ELSE array_agg(s.free_space_s ORDER BY g.place)
                END,
                array_agg(s.free_last ORDER BY g.place),
                CASE
                    WHEN min(s.free_min) = max(s.free_min) THEN ARRAY[min(s.free_min)]
                    ELSE array_agg(s.free_min ORDER BY g.place)
                END,
                CASE
                    WHEN min(s.free_max) = max(s.free_max) THEN ARRAY[min(s.free_max)]
                    ELSE array_agg(s.free_max ORDER BY g.place)
                END,
                CASE
                    WHEN min(s.full_s) = max(s.full_s) THEN ARRAY[min(s.full_s)]
                    ELSE array_agg(s.full_s ORDER BY g.place)
                END,
                CASE
                    WHEN min(s.space_s) = max(s.space_s) THEN ARRAY[min(s.space_s)]
                    ELSE array_agg(s.space_s ORDER BY g.place)
                END,
                CASE
                    WHEN min(s.known_space_s) = max(s.known_space_s) THEN ARRAY[min(s.known_space_s)]
                    ELSE array_agg(s.known_space_s ORDER BY g.place)
                END
            FROM (SELECT DISTINCT m.lot_id FROM moved AS m) AS l
            CROSS JOIN generate_series(1, 288) AS g (place)
            LEFT JOIN step AS s ON s.lot_id = l.lot_id AND s.place = g.place
            GROUP BY l.lot_id
            ON CONFLICT (lot_id, day_at) DO UPDATE SET
                capacity = excluded.capacity, covered_s = excluded.covered_s,
                free_space_s = excluded.free_space_s, free_last = excluded.free_last,
                free_min = excluded.free_min, free_max = excluded.free_max,
                full_s = excluded.full_s, space_s = excluded.space_s,
                known_space_s = excluded.known_space_s
        )

        SELECT count(*) INTO packed FROM moved;
        RETURN packed;
    END $$;
COMMENT ON FUNCTION pack_steps IS
'Move what feeds have written of lots on a past day (UTC) to lot_occupancy_fed; how many steps.';

CREATE OR REPLACE FUNCTION empty_partition(emptied text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '200ms' AS $$
    DECLARE
        has_rows boolean;
    BEGIN
        IF emptied !~ '^lot_occupancy_p[0-9]{8}$' THEN
            RAISE EXCEPTION 'not a partition of single steps: %', emptied;
        END IF;
        -- Without the lock first: readers shall not wait while dead rows are passed over.
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', emptied) INTO has_rows;
        IF has_rows OR pg_total_relation_size(format('public.%I', emptied)) < 1e6 THEN
            RETURN FALSE;
        END IF;
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', emptied);
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', emptied) INTO has_rows;
        IF NOT has_rows THEN
            EXECUTE format('TRUNCATE public.%I', emptied);
        END IF;
        RETURN NOT has_rows;
    END $$;
COMMENT ON FUNCTION empty_partition IS
'Give back the space of a partition of single steps all of which are packed; whether it was so.';
