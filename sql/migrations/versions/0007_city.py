"""The first tables: the city, its states, its people, its prices.

It replaces nine migrations, makes what they made, and has the number of the last of them: a
database that is at 0007 goes on as it is.

Revision ID: 0007
Revises: none
"""

from alembic import op

revision = "0007"
down_revision = None
branch_labels = None
depends_on = None

CITY = """
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
    zone_class smallint NOT NULL CHECK (zone_class BETWEEN 1 AND 3),
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
    lot_type text NOT NULL
        CHECK (lot_type IN ('on_street', 'surface', 'underground', 'multi_storey')),
    land_use text CHECK (land_use IN (
        'hospital', 'school', 'scenic', 'station', 'mall', 'market', 'office', 'hotel',
        'housing', 'industrial', 'street'
    )),
    reporting text NOT NULL CHECK (reporting IN ('bays', 'count')),
    report_interval_s integer NOT NULL CHECK (report_interval_s BETWEEN 10 AND 86400),
    capacity integer NOT NULL CHECK (capacity BETWEEN 1 AND 20000),
    levels smallint NOT NULL DEFAULT 1 CHECK (levels >= 1),
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
    number integer CHECK (number >= 1),
    level smallint NOT NULL,
    space_class text NOT NULL CHECK (space_class IN ('standard', 'accessible', 'ev', 'large')),
    geog geography(Point, 4326) NOT NULL,
    PRIMARY KEY (lot_id, number)
);
CREATE INDEX space_geog_idx ON space USING gist (geog);
"""

STATES = """
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
    observed_at timestamptz NOT NULL CONSTRAINT lot_state_observed_at_check
        CHECK (observed_at BETWEEN '2000-01-01 00:00:00+00' AND received_at),
    received_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL,
    unknown_spaces integer NOT NULL,
    history_at timestamptz NOT NULL,
    CONSTRAINT lot_state_counts_check CHECK (
        free_spaces >= 0 AND unknown_spaces >= 0 AND free_spaces + unknown_spaces <= capacity
    )
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5);

CREATE TYPE space_state AS ENUM ('free', 'occupied', 'unknown');

CREATE TABLE space_event (
    lot_id text NOT NULL,
    number integer NOT NULL,
    state space_state NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX space_event_lot_id_received_at_idx ON space_event (lot_id, received_at);

CREATE TABLE count_event (
    lot_id text NOT NULL,
    free_spaces integer NOT NULL,
    capacity integer NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX count_event_lot_id_received_at_idx ON count_event (lot_id, received_at);

CREATE TABLE lot_occupancy (
    lot_id text,
    step_at timestamptz,
    capacity integer NOT NULL,
    covered_s double precision NOT NULL CHECK (covered_s BETWEEN 0 AND 300.000001),
    free_space_s double precision NOT NULL,
    free_last integer NOT NULL,
    free_min integer NOT NULL,
    free_max integer NOT NULL,
    full_s double precision NOT NULL DEFAULT 0,
    space_s double precision NOT NULL,
    known_space_s double precision NOT NULL,
    PRIMARY KEY (lot_id, step_at)
) PARTITION BY RANGE (step_at);

CREATE TABLE dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    topic text NOT NULL,
    gateway_id text NOT NULL,
    lot_id text NOT NULL,
    epoch bigint,
    seq bigint,
    reason text NOT NULL,
    detail text NOT NULL,
    payload text NOT NULL,
    times integer NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    payload_bytes integer NOT NULL,
    fault_at integer,
    whole boolean NOT NULL,
    replay_requested_at timestamptz,
    replayed_at timestamptz,
    replay_result text
);
CREATE INDEX dead_letter_gateway_id_last_received_at_idx
ON dead_letter (gateway_id, last_received_at);
CREATE INDEX dead_letter_received_at_idx ON dead_letter (received_at);
CREATE INDEX dead_letter_replay_idx ON dead_letter (lot_id, epoch, seq)
WHERE replay_requested_at IS NOT NULL;

CREATE TABLE ingester_status (
    ingester text PRIMARY KEY,
    heartbeat_at timestamptz,
    stopped text CHECK (stopped IN ('internal', 'clock')),
    stopped_at timestamptz,
    CONSTRAINT ingester_status_stopped_at_check CHECK ((stopped IS NULL) = (stopped_at IS NULL))
);
"""

PEOPLE = """
CREATE TABLE person (
    person_id text PRIMARY KEY,
    name text NOT NULL,
    roles text[] NOT NULL CHECK (
        roles <@ ARRAY['operator', 'bureau_drafter', 'bureau_approver', 'operations']
        AND cardinality(roles) > 0
    ),
    operator_id text REFERENCES operator,
    created_at timestamptz NOT NULL,
    CONSTRAINT person_operator_check
        CHECK (('operator' = ANY (roles)) = (operator_id IS NOT NULL))
);

CREATE TABLE api_key (
    key_id text PRIMARY KEY,
    person_id text NOT NULL REFERENCES person,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    replaced_by text REFERENCES api_key
);
CREATE INDEX api_key_person_id_idx ON api_key (person_id);

CREATE TABLE audit_entry (
    entry_id bigint PRIMARY KEY CHECK (entry_id > 0),
    at timestamptz NOT NULL,
    person_id text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    before jsonb,
    after jsonb,
    reason text,
    previous_hash bytea NOT NULL UNIQUE CHECK (length(previous_hash) = 32),
    hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32)
);
CREATE INDEX audit_entry_subject_idx ON audit_entry (subject, entry_id);
"""

PRICES = """
CREATE TABLE zone_draft (
    zone_id text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    zone_class smallint NOT NULL CHECK (zone_class BETWEEN 1 AND 3),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CONSTRAINT zone_draft_valid_to_check CHECK (valid_to > valid_from),
    replaces text[] NOT NULL DEFAULT '{}',
    geom geometry(MultiPolygon, 4326) NOT NULL,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'withdrawn')),
    drafted_by text NOT NULL,
    drafted_at timestamptz NOT NULL,
    published_by text,
    published_at timestamptz,
    CONSTRAINT zone_draft_two_people_check CHECK (published_by <> drafted_by)
);

CREATE TABLE tariff (
    tariff_id text PRIMARY KEY,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE tariff_version (
    tariff_id text REFERENCES tariff,
    version integer CHECK (version >= 1),
    document json NOT NULL,
    content_hash text NOT NULL,
    zones text[] NOT NULL DEFAULT '{}',
    lot_types text[] NOT NULL DEFAULT '{}',
    lots text[] NOT NULL DEFAULT '{}',
    copy_of integer,
    state text NOT NULL DEFAULT 'draft'
        CHECK (state IN ('draft', 'in_review', 'approved', 'published', 'withdrawn')),
    imported boolean NOT NULL DEFAULT false,
    drafted_by text NOT NULL,
    drafted_at timestamptz NOT NULL,
    submitted_by text,
    submitted_at timestamptz,
    approved_by text,
    approved_at timestamptz,
    published_by text,
    published_at timestamptz,
    withdrawn_by text,
    withdrawn_at timestamptz,
    PRIMARY KEY (tariff_id, version),
    CONSTRAINT tariff_version_applies_to_check CHECK (
        cardinality(zones) > 0 AND cardinality(lot_types) > 0 AND cardinality(lots) = 0
        OR cardinality(zones) = 0 AND cardinality(lot_types) = 0 AND cardinality(lots) > 0
    ),
    CONSTRAINT tariff_version_two_people_check
        CHECK (approved_by <> drafted_by AND approved_by <> submitted_by),
    CONSTRAINT tariff_version_approved_check CHECK (
        state NOT IN ('approved', 'published') OR approved_by IS NOT NULL OR imported
    )
);

CREATE TABLE tariff_effect (
    effect_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tariff_id text NOT NULL,
    version integer NOT NULL,
    zone_id text REFERENCES zone,
    lot_type text,
    lot_id text REFERENCES lot,
    effective tstzrange NOT NULL CHECK (NOT isempty(effective)),
    planned_to timestamptz,
    FOREIGN KEY (tariff_id, version) REFERENCES tariff_version,
    CONSTRAINT tariff_effect_target_check CHECK (
        (lot_id IS NULL) = (zone_id IS NOT NULL) AND (zone_id IS NULL) = (lot_type IS NULL)
    ),
    CONSTRAINT tariff_effect_zone_excl
        EXCLUDE USING gist (zone_id WITH =, lot_type WITH =, effective WITH &&),
    CONSTRAINT tariff_effect_lot_excl EXCLUDE USING gist (lot_id WITH =, effective WITH &&)
);
CREATE INDEX tariff_effect_tariff_id_version_idx ON tariff_effect (tariff_id, version);

CREATE TABLE price_control (
    price_control_id text PRIMARY KEY,
    legal_reference_zh text NOT NULL,
    legal_reference_en text NOT NULL,
    zone_class smallint CHECK (zone_class BETWEEN 1 AND 3),
    lot_types text[] NOT NULL DEFAULT '{}',
    currency text NOT NULL,
    vehicle text,
    base_minor integer NOT NULL CHECK (base_minor >= 0),
    float_up_percent integer CHECK (float_up_percent >= 0),
    float_down_percent integer CHECK (float_down_percent BETWEEN 0 AND 100),
    floor_minor integer CONSTRAINT price_control_floor_minor_check
        CHECK (floor_minor BETWEEN 0 AND base_minor),
    ceiling_minor integer CONSTRAINT price_control_ceiling_minor_check
        CHECK (ceiling_minor >= base_minor),
    day_ceiling_minor integer CHECK (day_ceiling_minor >= 0),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CONSTRAINT price_control_valid_to_check CHECK (valid_to > valid_from),
    drafted_by text NOT NULL,
    drafted_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    CONSTRAINT price_control_two_people_check CHECK (approved_by <> drafted_by)
);

CREATE TABLE city_calendar (
    year integer PRIMARY KEY CHECK (year BETWEEN 2000 AND 2199),
    holidays date[] NOT NULL,
    makeup_workdays date[] NOT NULL,
    published_by text NOT NULL,
    published_at timestamptz NOT NULL
);
"""

MECHANISMS = """
CREATE TABLE price_mechanism (
    mechanism_id text PRIMARY KEY,
    definition json NOT NULL,
    content_hash text NOT NULL,
    zone_id text NOT NULL REFERENCES zone,
    lot_types text[] NOT NULL CHECK (cardinality(lot_types) > 0),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'approved', 'retired')),
    mode text NOT NULL CHECK (mode IN ('on', 'frozen')),
    drafted_by text NOT NULL,
    drafted_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    retired_by text,
    retired_at timestamptz,
    CONSTRAINT price_mechanism_two_people_check CHECK (approved_by <> drafted_by),
    CONSTRAINT price_mechanism_approved_check
        CHECK (state <> 'approved' OR approved_by IS NOT NULL)
);

CREATE TABLE price_mechanism_target (
    zone_id text,
    lot_type text,
    mechanism_id text NOT NULL REFERENCES price_mechanism,
    PRIMARY KEY (zone_id, lot_type)
);

CREATE TABLE mechanism_review (
    mechanism_id text REFERENCES price_mechanism,
    number integer CHECK (number >= 1),
    reviewed_at timestamptz NOT NULL,
    reviewed_by text NOT NULL,
    definition json NOT NULL,
    read_from timestamptz NOT NULL,
    read_to timestamptz NOT NULL,
    lots integer NOT NULL,
    tariff_id text NOT NULL,
    version integer NOT NULL,
    proposals json NOT NULL,
    drafted_version integer,
    drafted_by text,
    drafted_at timestamptz,
    PRIMARY KEY (mechanism_id, number),
    FOREIGN KEY (tariff_id, version) REFERENCES tariff_version,
    FOREIGN KEY (tariff_id, drafted_version) REFERENCES tariff_version,
    CONSTRAINT mechanism_review_read_to_check CHECK (read_from < read_to),
    CONSTRAINT mechanism_review_drafted_check CHECK (
        (drafted_version IS NULL) = (drafted_by IS NULL)
        AND (drafted_version IS NULL) = (drafted_at IS NULL)
    )
);
"""

DOWN = """
DROP VIEW IF EXISTS space_now, lot_now;
DROP TABLE mechanism_review, price_mechanism_target, price_mechanism;
DROP TABLE city_calendar, price_control, tariff_effect, tariff_version, tariff, zone_draft;
DROP TABLE audit_entry, api_key, person;
DROP TABLE ingester_status, dead_letter, lot_occupancy, count_event, space_event, lot_state;
DROP TABLE space, lot, zone, gateway, operator, district;
DROP FUNCTION audit_entry_stays, tariff_version_stays, price_mechanism_stays, tariffs_changed;
DROP FUNCTION analyze_registration, suspend_space_checks, resume_space_checks;
DROP FUNCTION make_partition, drop_partition;
DROP FUNCTION IF EXISTS registration_changed, logins_changed, audit_entry_follows, api_key_stays;
DROP FUNCTION bay_state, closes_within, data_state, is_open;
DROP TYPE space_state;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM onelot_app;
REVOKE ALL ON alembic_version FROM onelot_app;
"""


def _run(*parts: str) -> None:
    for part in parts:
        for statement in part.strip().split(";\n"):
            op.execute(statement)


def upgrade() -> None:
    """Make the tables."""
    _run(CITY, STATES, PEOPLE, PRICES, MECHANISMS)


def downgrade() -> None:
    """Remove all but the extensions, which may be others' too; functions and views as well."""
    _run(DOWN)
