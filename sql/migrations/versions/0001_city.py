"""The city, its state and its history.

Revision ID: 0001
Revises: none
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REGISTRATION = """
CREATE TABLE district (
    adcode text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    geom geometry(MultiPolygon, 4326) NOT NULL
);
CREATE INDEX district_geom_idx ON district USING gist (geom);

CREATE TABLE operator (
    operator_id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL
);

CREATE TABLE gateway (
    gateway_id text PRIMARY KEY,
    operator_id text NOT NULL REFERENCES operator,
    simulated boolean NOT NULL DEFAULT false,
    password_hash text
);
CREATE INDEX gateway_operator_id_idx ON gateway (operator_id);

CREATE TABLE zone (
    zone_id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    zone_class smallint NOT NULL CONSTRAINT zone_zone_class_check
        CHECK (zone_class BETWEEN 1 AND 3),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CONSTRAINT zone_valid_to_check CHECK (valid_to > valid_from),
    geom geometry(MultiPolygon, 4326) NOT NULL
);
CREATE INDEX zone_geom_idx ON zone USING gist (geom);

CREATE TABLE lot (
    lot_id text PRIMARY KEY,
    operator_id text NOT NULL REFERENCES operator,
    gateway_id text NOT NULL REFERENCES gateway,
    district text REFERENCES district,
    zone_id text REFERENCES zone,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    lot_type text NOT NULL CONSTRAINT lot_lot_type_check
        CHECK (lot_type IN ('on_street', 'surface', 'underground', 'multi_storey')),
    land_use text CONSTRAINT lot_land_use_check CHECK (land_use IN (
        'hospital', 'school', 'scenic', 'station', 'mall', 'market', 'office', 'hotel',
        'housing', 'industrial', 'street'
    )),
    reporting text NOT NULL CONSTRAINT lot_reporting_check
        CHECK (reporting IN ('bays', 'count')),
    report_interval_s integer NOT NULL CONSTRAINT lot_report_interval_s_check
        CHECK (report_interval_s BETWEEN 10 AND 86400),
    capacity integer NOT NULL CONSTRAINT lot_capacity_check
        CHECK (capacity BETWEEN 1 AND 20000),
    levels smallint NOT NULL DEFAULT 1 CONSTRAINT lot_levels_check CHECK (levels >= 1),
    height_limit_m real,
    opens_at time,
    closes_at time,
    timezone text NOT NULL DEFAULT 'Asia/Shanghai',
    geog geography(Point, 4326) NOT NULL,
    CONSTRAINT lot_opening_hours_check CHECK ((opens_at IS NULL) = (closes_at IS NULL))
);
CREATE INDEX lot_geog_idx ON lot USING gist (geog);
CREATE INDEX lot_gateway_id_idx ON lot (gateway_id);
CREATE INDEX lot_operator_id_idx ON lot (operator_id);
CREATE INDEX lot_district_idx ON lot (district);
CREATE INDEX lot_zone_id_idx ON lot (zone_id);

CREATE TABLE space (
    lot_id text REFERENCES lot ON DELETE CASCADE,
    number integer CONSTRAINT space_number_check CHECK (number >= 1),
    level smallint NOT NULL,
    space_class text NOT NULL CONSTRAINT space_space_class_check
        CHECK (space_class IN ('standard', 'accessible', 'ev', 'large')),
    geog geography(Point, 4326) NOT NULL,
    PRIMARY KEY (lot_id, number)
);
CREATE INDEX space_geog_idx ON space USING gist (geog);
"""

STATE = """
CREATE TABLE lot_state (
    lot_id text PRIMARY KEY REFERENCES lot ON DELETE CASCADE,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    version bigint NOT NULL,
    capacity integer NOT NULL,
    free_spaces integer NOT NULL,
    occupied_bits bytea,
    unknown_bits bytea,
    free_standard integer,
    free_accessible integer,
    free_ev integer,
    free_large integer,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5);
"""

HISTORY = """
CREATE TYPE space_state AS ENUM ('free', 'occupied', 'unknown');

CREATE TABLE space_event (
    lot_id text NOT NULL,
    number integer NOT NULL,
    state space_state NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX space_event_lot_id_received_at_idx ON space_event (lot_id, received_at);
CREATE TABLE space_event_default PARTITION OF space_event DEFAULT;

CREATE TABLE count_event (
    lot_id text NOT NULL,
    free_spaces integer NOT NULL,
    capacity integer NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX count_event_lot_id_received_at_idx ON count_event (lot_id, received_at);
CREATE TABLE count_event_default PARTITION OF count_event DEFAULT;

CREATE TABLE lot_occupancy (
    lot_id text,
    step_at timestamptz,
    capacity integer NOT NULL,
    covered_s double precision NOT NULL,
    free_space_s double precision NOT NULL,
    free_last integer,
    free_min integer,
    free_max integer,
    PRIMARY KEY (lot_id, step_at)
) PARTITION BY RANGE (step_at);
CREATE TABLE lot_occupancy_default PARTITION OF lot_occupancy DEFAULT;

CREATE TABLE dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL CONSTRAINT dead_letter_digest_key UNIQUE,
    topic text NOT NULL,
    gateway_id text NOT NULL,
    lot_id text NOT NULL,
    epoch bigint,
    seq bigint,
    reason text NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    times integer NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL
);
CREATE INDEX dead_letter_gateway_id_received_at_idx ON dead_letter (gateway_id, received_at);
"""

VIEWS = """
CREATE FUNCTION data_state(received_at timestamptz, report_interval_s integer) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN received_at >= now() - make_interval(secs => report_interval_s) THEN 'live'
    WHEN received_at >= now() - make_interval(secs => 6 * report_interval_s) THEN 'stale'
    ELSE 'unknown'
END;
COMMENT ON FUNCTION data_state IS
'What a report received at that time is worth now: live within the lot''s report interval, stale
within six of them, unknown after that or when there has been none.';

CREATE FUNCTION is_open(opens_at time, closes_at time, local_time time) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN opens_at IS NULL THEN true
    WHEN opens_at < closes_at THEN local_time >= opens_at AND local_time < closes_at
    ELSE local_time >= opens_at OR local_time < closes_at
END;
COMMENT ON FUNCTION is_open IS
'Half-open daily hours, past midnight when they end at or before their start; null is always.';

CREATE VIEW lot_now AS
SELECT
    l.lot_id, l.operator_id, l.gateway_id, l.district, l.zone_id, l.name_zh, l.name_en,
    l.lot_type, l.land_use, l.reporting, l.report_interval_s, l.levels, l.height_limit_m,
    l.opens_at, l.closes_at, l.timezone, l.geog,
    least(l.capacity, s.capacity) AS capacity,
    CASE WHEN data_state(s.received_at, l.report_interval_s) <> 'unknown'
        THEN least(s.free_spaces, l.capacity) END AS free_spaces,
    s.free_standard, s.free_accessible, s.free_ev, s.free_large,
    s.occupied_bits, s.unknown_bits, s.epoch, s.seq, s.version,
    s.observed_at, s.received_at, s.committed_at,
    data_state(s.received_at, l.report_interval_s) AS data_state,
    CASE
        WHEN data_state(s.received_at, l.report_interval_s) = 'unknown' THEN 'unknown'
        WHEN NOT is_open(l.opens_at, l.closes_at, (now() AT TIME ZONE l.timezone)::time)
            THEN 'closed'
        WHEN s.free_spaces = 0 THEN 'full'
        ELSE 'open'
    END AS status
FROM lot AS l
LEFT JOIN lot_state AS s ON s.lot_id = l.lot_id;
COMMENT ON VIEW lot_now IS
'Every lot as last committed. free_spaces is null once its feed has been silent for too long.';

CREATE FUNCTION bay_state(occupied_bits bytea, unknown_bits bytea, number integer)
RETURNS space_state
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN occupied_bits IS NULL OR number > 8 * length(occupied_bits) THEN 'unknown'
    WHEN get_bit(unknown_bits, number - 1) = 1 THEN 'unknown'
    WHEN get_bit(occupied_bits, number - 1) = 1 THEN 'occupied'
    ELSE 'free'
END::space_state;
COMMENT ON FUNCTION bay_state IS
'The state of bay `number` (from 1) in a lot''s bitmaps; unknown where they do not reach.';

CREATE VIEW space_now AS
SELECT
    p.lot_id, p.number, p.level, p.space_class, p.geog,
    bay_state(s.occupied_bits, s.unknown_bits, p.number) AS state,
    s.observed_at, s.received_at,
    data_state(s.received_at, l.report_interval_s) AS data_state
FROM space AS p
INNER JOIN lot AS l ON l.lot_id = p.lot_id AND l.reporting = 'bays'
INNER JOIN lot_state AS s ON s.lot_id = p.lot_id;
COMMENT ON VIEW space_now IS
'Every bay of the lots that sense their bays and have reported, with its state.';
"""


def upgrade() -> None:
    """Make everything."""
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    for part in (REGISTRATION, STATE, HISTORY, VIEWS):
        for statement in part.split(";\n"):
            if statement.strip():
                op.execute(statement)


def downgrade() -> None:
    """Remove everything but PostGIS, which may be others' too."""
    op.execute("DROP VIEW space_now")
    op.execute("DROP VIEW lot_now")
    for function in ("bay_state", "is_open", "data_state"):
        op.execute(f"DROP FUNCTION {function}")
    for table in ("dead_letter", "lot_occupancy", "count_event", "space_event", "lot_state"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP TYPE space_state")
    for table in ("space", "lot", "zone", "gateway", "operator", "district"):
        op.execute(f"DROP TABLE {table}")
