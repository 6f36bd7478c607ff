"""What is known of a lot: unknown spaces, an age that no clock can lie about, honest history.

States and history that are there already are repaired: clocks that ran wild wrote times that
cannot be, and steps of five minutes that cover more.

Revision ID: 0007
Revises: 0008
"""

from alembic import context, op

revision = "0007"
down_revision = "0008"
branch_labels = None
depends_on = None

APP = "onelot_app"

DROP_VIEWS = (
    "DROP VIEW space_now",
    "DROP VIEW lot_now",
    "DROP FUNCTION bay_state",
    "DROP FUNCTION data_state",
)

# A state's age: never ahead of when it came in. Up to now history took clocks that ran up to five
# minutes ahead at their word.
STATE = (
    """
    ALTER TABLE lot_state
    ADD COLUMN unknown_spaces integer,
    ADD COLUMN history_at timestamptz
    """,
    """
    UPDATE lot_state SET
        history_at = greatest(
            CASE
                WHEN observed_at > received_at + interval '300 s' THEN received_at
                ELSE observed_at
            END,
            '2000-01-01Z'
        ),
        observed_at = greatest(least(observed_at, received_at), '2000-01-01Z'),
        unknown_spaces = coalesce(length(replace(bits.unknown, '0', '')), 0)
    FROM (
        SELECT
            lot_id AS id,
            (
                SELECT string_agg(get_byte(o.unknown_bits, n)::bit(8)::text, '')
                FROM generate_series(0, length(o.unknown_bits) - 1) AS n
            ) AS unknown
        FROM lot_state AS o
    ) AS bits
    WHERE lot_state.lot_id = bits.id
    """,
)

# What no longer fits its lot's registration is known anew from the lot's next report: a snapshot
# goes out at least hourly. Free bays are counted by the classes that they have now.
STATE_IN_LINE = (
    """
    UPDATE lot_state AS s SET
        version = s.version + 1,
        capacity = l.capacity,
        free_spaces = 0,
        unknown_spaces = l.capacity,
        occupied_bits = CASE WHEN l.reporting = 'bays' THEN
            decode(repeat('00', (l.capacity + 7) / 8), 'hex') END,
        unknown_bits = CASE WHEN l.reporting = 'bays' THEN decode(
            repeat('ff', l.capacity / 8)
            || CASE WHEN l.capacity % 8 > 0
                THEN lpad(to_hex((1 << l.capacity % 8) - 1), 2, '0') ELSE '' END,
            'hex'
        ) END,
        free_standard = NULL, free_accessible = NULL, free_ev = NULL, free_large = NULL
    FROM lot AS l
    WHERE s.lot_id = l.lot_id AND (
        s.capacity > l.capacity
        OR (l.reporting = 'bays' AND s.capacity < l.capacity)
        OR (l.reporting = 'bays') <> (s.occupied_bits IS NOT NULL)
        OR length(s.occupied_bits) <> (s.capacity + 7) / 8
        OR s.free_spaces NOT BETWEEN 0 AND s.capacity - s.unknown_spaces
    )
    """,
    """
    UPDATE lot_state AS s SET
        free_standard = c.standard, free_accessible = c.accessible, free_ev = c.ev,
        free_large = c.large
    FROM (
        SELECT
            o.lot_id,
            -- As the ingester counts: every bay that is of no other class.
            o.free_spaces
            - count(*) FILTER (WHERE p.space_class <> 'standard') AS standard,
            count(*) FILTER (WHERE p.space_class = 'accessible') AS accessible,
            count(*) FILTER (WHERE p.space_class = 'ev') AS ev,
            count(*) FILTER (WHERE p.space_class = 'large') AS large
        FROM lot_state AS o
        LEFT JOIN space AS p
            ON p.lot_id = o.lot_id AND p.number <= o.capacity
            AND get_bit(o.occupied_bits, p.number - 1) = 0
            AND get_bit(o.unknown_bits, p.number - 1) = 0
        WHERE o.occupied_bits IS NOT NULL
        GROUP BY o.lot_id, o.free_spaces
    ) AS c
    WHERE s.lot_id = c.lot_id AND (
        s.free_standard, s.free_accessible, s.free_ev, s.free_large
    ) IS DISTINCT FROM (c.standard, c.accessible, c.ev, c.large)
    """,
    """
    ALTER TABLE lot_state
    ALTER COLUMN unknown_spaces SET NOT NULL,
    ALTER COLUMN history_at SET NOT NULL,
    ADD CONSTRAINT lot_state_counts_check CHECK (
        free_spaces >= 0 AND unknown_spaces >= 0 AND free_spaces + unknown_spaces <= capacity
    ),
    ADD CONSTRAINT lot_state_observed_at_check CHECK (
        observed_at BETWEEN '2000-01-01 00:00:00+00' AND received_at
    )
    """,
)

# Steps of times that cannot be are removed. Those that cover more than has passed keep their mean
# and are cut to what has passed; so no later report can bring one over its 300 s.
HISTORY = (
    """
    DELETE FROM lot_occupancy
    WHERE step_at > now() + interval '300 s' OR step_at < '2000-01-01Z'
    """,
    """
    UPDATE lot_state AS s SET history_at = greatest(s.history_at, o.end_at)
    FROM (
        SELECT lot_id, max(step_at) AS last_at, max(step_at) + interval '300 s' AS end_at
        FROM lot_occupancy GROUP BY lot_id
    ) AS o
    WHERE o.lot_id = s.lot_id AND o.last_at > s.history_at
    """,
    """
    UPDATE lot_occupancy AS o SET
        covered_s = limits.seconds,
        free_space_s = o.free_space_s * limits.seconds / o.covered_s,
        full_s = o.full_s * limits.seconds / o.covered_s
    FROM (
        SELECT
            p.lot_id,
            p.step_at,
            CASE
                WHEN s.history_at IS NULL THEN 300
                ELSE greatest(date_part('epoch', s.history_at - p.step_at), 0)
            END AS seconds
        FROM lot_occupancy AS p
        LEFT JOIN lot_state AS s ON s.lot_id = p.lot_id AND s.history_at < p.step_at + '300 s'
        WHERE p.covered_s > 0
    ) AS passed
    CROSS JOIN LATERAL (SELECT floor(passed.seconds) AS seconds) AS limits
    WHERE passed.lot_id = o.lot_id AND passed.step_at = o.step_at
        AND o.covered_s > passed.seconds + 0.0000005
    """,
    """
    ALTER TABLE lot_occupancy
    ADD COLUMN space_s double precision,
    ADD COLUMN known_space_s double precision
    """,
    # The whole lot counted as known, and a step that no report fell into carried one count on.
    """
    UPDATE lot_occupancy AS o SET
        space_s = greatest(o.covered_s * o.capacity, o.free_space_s),
        known_space_s = greatest(o.covered_s * o.capacity, o.free_space_s),
        free_last = coalesce(o.free_last, round(mean.free), 0),
        free_min = coalesce(least(o.free_min, floor(mean.free)), 0),
        free_max = coalesce(greatest(o.free_max, ceil(mean.free)), 0)
    FROM (
        SELECT lot_id, step_at, free_space_s / nullif(covered_s, 0) AS free FROM lot_occupancy
    ) AS mean
    WHERE mean.lot_id = o.lot_id AND mean.step_at = o.step_at
    """,
    """
    ALTER TABLE lot_occupancy
    ALTER COLUMN space_s SET NOT NULL,
    ALTER COLUMN known_space_s SET NOT NULL,
    ALTER COLUMN free_last SET NOT NULL,
    ALTER COLUMN free_min SET NOT NULL,
    ALTER COLUMN free_max SET NOT NULL,
    ADD CONSTRAINT lot_occupancy_covered_s_check CHECK (covered_s BETWEEN 0 AND 300.000001)
    """,
)

# A partition is attached with the constraints of its table.
MAKE_PARTITION = """
CREATE OR REPLACE FUNCTION make_partition(parent text, begins date, ends date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC' AS $$
DECLARE
    made text := format('%s_p%s', parent, to_char(begins, 'YYYYMMDD'));
    key text := CASE
        WHEN parent IN ('space_event', 'count_event') THEN 'received_at'
        WHEN parent = 'lot_occupancy' THEN 'step_at'
    END;
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'not a table of the history: %', parent;
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
END $$
"""

VIEWS = (
    """
    CREATE FUNCTION data_state(observed_at timestamptz, report_interval_s integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN observed_at >= now() - make_interval(secs => greatest(90, 1.5 * report_interval_s))
            THEN 'live'
        WHEN observed_at >= now() - make_interval(secs => greatest(900, 3 * report_interval_s))
            THEN 'stale'
        ELSE 'unknown'
    END
    """,
    """
    COMMENT ON FUNCTION data_state IS
    'What a state is worth by its age: live until 90 s or 1.5 report intervals, whichever is more,
    stale until 15 min or 3 of them, unknown after that or where there is none.'
    """,
    """
    CREATE VIEW lot_now AS
    SELECT
        l.lot_id, l.operator_id, l.gateway_id, l.district, l.zone_id, l.name_zh, l.name_en,
        l.lot_type, l.land_use, l.reporting, l.report_interval_s, l.levels, l.height_limit_m,
        l.opens_at, l.closes_at, l.timezone, l.geog,
        w.capacity, w.free_spaces, w.unknown_spaces,
        s.free_standard, s.free_accessible, s.free_ev, s.free_large,
        s.occupied_bits, s.unknown_bits, s.epoch, s.seq, s.version,
        s.observed_at, s.received_at, s.committed_at,
        CASE
            WHEN s.observed_at > now() THEN 0 ELSE date_part('epoch', now() - s.observed_at)
        END AS age_s,
        w.data_state,
        CASE
            WHEN w.data_state = 'unknown' THEN 'unknown'
            WHEN NOT is_open(l.opens_at, l.closes_at, (now() AT TIME ZONE l.timezone)::time)
                THEN 'closed'
            WHEN w.free_spaces > 0 THEN 'open'
            WHEN w.unknown_spaces > 0 THEN 'unknown'
            ELSE 'full'
        END AS status
    FROM lot AS l
    LEFT JOIN lot_state AS s ON s.lot_id = l.lot_id
    CROSS JOIN LATERAL (
        SELECT
            d.data_state,
            coalesce(s.capacity, l.capacity) AS capacity,
            CASE
                WHEN d.data_state <> 'unknown'
                    AND (s.unknown_spaces = 0 OR s.unknown_spaces < s.capacity)
                    THEN s.free_spaces
            END AS free_spaces,
            CASE
                WHEN d.data_state = 'unknown' THEN coalesce(s.capacity, l.capacity)
                ELSE s.unknown_spaces
            END AS unknown_spaces
        FROM (SELECT data_state(s.observed_at, l.report_interval_s) AS data_state) AS d
    ) AS w
    """,
    """
    COMMENT ON VIEW lot_now IS
    'Every lot as last committed. free_spaces is null where nothing is known: unknown_spaces is
    then the capacity.'
    """,
    """
    CREATE FUNCTION bay_state(
        occupied_bits bytea, unknown_bits bytea, capacity integer, number integer
    ) RETURNS space_state
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN occupied_bits IS NULL OR number > capacity THEN 'unknown'
        WHEN get_bit(unknown_bits, number - 1) = 1 THEN 'unknown'
        WHEN get_bit(occupied_bits, number - 1) = 1 THEN 'occupied'
        ELSE 'free'
    END::space_state
    """,
    """
    COMMENT ON FUNCTION bay_state IS
    'The state of bay `number` (from 1) in the bitmaps of a lot of so many bays; unknown beyond.'
    """,
    """
    CREATE VIEW space_now AS
    SELECT
        p.lot_id, p.number, p.level, p.space_class, p.geog,
        bay_state(s.occupied_bits, s.unknown_bits, s.capacity, p.number) AS state,
        s.observed_at, s.received_at,
        data_state(s.observed_at, l.report_interval_s) AS data_state
    FROM space AS p
    INNER JOIN lot AS l ON l.lot_id = p.lot_id AND l.reporting = 'bays'
    INNER JOIN lot_state AS s ON s.lot_id = p.lot_id
    """,
    """
    COMMENT ON VIEW space_now IS
    'Every bay of the lots that sense their bays and have reported, with its state.'
    """,
    f"GRANT SELECT ON lot_now, space_now TO {APP}",
)


def upgrade() -> None:
    """Repair what is there, hold what comes to it, and count by what is known."""
    for part in (DROP_VIEWS, STATE, STATE_IN_LINE, HISTORY, (MAKE_PARTITION,), VIEWS):
        for statement in part:
            op.execute(statement)


def downgrade() -> None:
    """Count as before; what was repaired stays."""
    for statement in DROP_VIEWS:
        op.execute(statement)
    op.execute(
        """
        ALTER TABLE lot_occupancy
        DROP CONSTRAINT lot_occupancy_covered_s_check,
        DROP COLUMN space_s, DROP COLUMN known_space_s,
        ALTER COLUMN free_last DROP NOT NULL,
        ALTER COLUMN free_min DROP NOT NULL,
        ALTER COLUMN free_max DROP NOT NULL
        """
    )
    op.execute(
        """
        ALTER TABLE lot_state
        DROP CONSTRAINT lot_state_counts_check, DROP CONSTRAINT lot_state_observed_at_check,
        DROP COLUMN unknown_spaces, DROP COLUMN history_at
        """
    )
    op.execute(MAKE_PARTITION.replace(" INCLUDING CONSTRAINTS", ""))
    for statement in context.script.get_revision("0001").module.VIEWS.split(";\n"):
        if statement.strip():
            op.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(f"GRANT SELECT ON lot_now, space_now TO {APP}")
