"""The tables of the platform, as SQLAlchemy metadata.

Geometry and registration stand apart from occupancy: lots and spaces barely change, the state
of a lot changes all day. `lot_state` therefore has one row a lot, no secondary index and half
empty pages, so that its updates stay on their page (HOT). Views, the enum type and functions
are made by the migrations; a test holds this metadata against them.
"""

from typing import Any, get_args

from geoalchemy2 import Geography, Geometry
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Time,
    text,
)

from sql.kinds import SPACE_CLASSES, LandUse, LotType, Reporting, SpaceClass, SpaceState

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
    }
)


def _names() -> tuple[Column[str], Column[str]]:
    return Column("name_zh", Text, nullable=False), Column("name_en", Text, nullable=False)


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _one_of(column: str, values: Any) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in get_args(values))
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _multipolygon() -> Column[object]:
    return Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False)


def _point() -> Column[object]:
    return Column("geog", Geography("POINT", srid=4326, spatial_index=False), nullable=False)


district = Table(
    "district",
    metadata,
    Column("adcode", Text, primary_key=True),
    *_names(),
    _multipolygon(),
    Index("district_geom_idx", "geom", postgresql_using="gist"),
)

operator = Table(
    "operator",
    metadata,
    Column("operator_id", Text, primary_key=True),
    *_names(),
)

gateway = Table(
    "gateway",
    metadata,
    Column("gateway_id", Text, primary_key=True),
    Column("operator_id", Text, ForeignKey("operator.operator_id"), nullable=False),
    # True only for a gateway that the simulators drive.
    Column("simulated", Boolean, nullable=False, server_default=text("false")),
    # As the broker wants it; null until a password has been issued.
    Column("password_hash", Text),
    Index("gateway_operator_id_idx", "operator_id"),
)

zone = Table(
    "zone",
    metadata,
    Column("zone_id", Text, primary_key=True),
    *_names(),
    Column("zone_class", SmallInteger, nullable=False),
    _instant("valid_from"),
    _instant("valid_to", nullable=True),
    _multipolygon(),
    Index("zone_geom_idx", "geom", postgresql_using="gist"),
    CheckConstraint("zone_class BETWEEN 1 AND 3", name="zone_class"),
    CheckConstraint("valid_to > valid_from", name="valid_to"),
)

lot = Table(
    "lot",
    metadata,
    Column("lot_id", Text, primary_key=True),
    Column("operator_id", Text, ForeignKey("operator.operator_id"), nullable=False),
    Column("gateway_id", Text, ForeignKey("gateway.gateway_id"), nullable=False),
    Column("district", Text, ForeignKey("district.adcode")),
    Column("zone_id", Text, ForeignKey("zone.zone_id")),
    *_names(),
    Column("lot_type", Text, nullable=False),
    Column("land_use", Text),
    Column("reporting", Text, nullable=False),
    # The longest silence of its feed that is normal, in seconds.
    Column("report_interval_s", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("levels", SmallInteger, nullable=False, server_default=text("1")),
    Column("height_limit_m", REAL),
    # Local times of day; both null for round the clock.
    Column("opens_at", Time),
    Column("closes_at", Time),
    Column("timezone", Text, nullable=False, server_default=text("'Asia/Shanghai'")),
    _point(),
    Index("lot_geog_idx", "geog", postgresql_using="gist"),
    Index("lot_gateway_id_idx", "gateway_id"),
    Index("lot_operator_id_idx", "operator_id"),
    Index("lot_district_idx", "district"),
    Index("lot_zone_id_idx", "zone_id"),
    _one_of("lot_type", LotType),
    _one_of("land_use", LandUse),
    _one_of("reporting", Reporting),
    CheckConstraint("report_interval_s BETWEEN 10 AND 86400", name="report_interval_s"),
    CheckConstraint("capacity BETWEEN 1 AND 20000", name="capacity"),
    CheckConstraint("levels >= 1", name="levels"),
    CheckConstraint("(opens_at IS NULL) = (closes_at IS NULL)", name="opening_hours"),
)

space = Table(
    "space",
    metadata,
    Column("lot_id", Text, ForeignKey("lot.lot_id", ondelete="CASCADE"), primary_key=True),
    # The lot's own numbering, from 1; bay n is bit n-1 of the lot's bitmaps.
    Column("number", Integer, primary_key=True),
    Column("level", SmallInteger, nullable=False),
    Column("space_class", Text, nullable=False),
    _point(),
    Index("space_geog_idx", "geog", postgresql_using="gist"),
    _one_of("space_class", SpaceClass),
    CheckConstraint("number >= 1", name="number"),
)

lot_state = Table(
    "lot_state",
    metadata,
    Column("lot_id", Text, ForeignKey("lot.lot_id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    # Microseconds of the commit's clock, or one more than before: rises across a restore too.
    Column("version", BigInteger, nullable=False),
    # Spaces in service; how many of them are known to be free; of how many nothing is known.
    Column("capacity", Integer, nullable=False),
    Column("free_spaces", Integer, nullable=False),
    Column("unknown_spaces", Integer, nullable=False),
    # Bay n at bit (n-1) mod 8 of byte (n-1) div 8; null where the lot counts at its gates.
    Column("occupied_bits", LargeBinary),
    Column("unknown_bits", LargeBinary),
    *(Column(f"free_{name}", Integer) for name in SPACE_CLASSES),
    # From when its age runs: the report's own time, bounded by when it came in.
    _instant("observed_at"),
    _instant("received_at"),
    _instant("committed_at"),
    # The newest instant that the lot's occupancy in steps holds: nothing before it changes.
    _instant("history_at"),
    CheckConstraint(
        "free_spaces >= 0 AND unknown_spaces >= 0 AND free_spaces + unknown_spaces <= capacity",
        name="counts",
    ),
    CheckConstraint(
        "observed_at BETWEEN '2000-01-01 00:00:00+00' AND received_at", name="observed_at"
    ),
    postgresql_with={"fillfactor": 50},
)

space_event = Table(
    "space_event",
    metadata,
    Column("lot_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Enum(*get_args(SpaceState), name="space_state"), nullable=False),
    _instant("observed_at"),
    _instant("received_at"),
    Index("space_event_lot_id_received_at_idx", "lot_id", "received_at"),
    postgresql_partition_by="RANGE (received_at)",
)

count_event = Table(
    "count_event",
    metadata,
    Column("lot_id", Text, nullable=False),
    Column("free_spaces", Integer, nullable=False),
    Column("capacity", Integer, nullable=False),
    _instant("observed_at"),
    _instant("received_at"),
    Index("count_event_lot_id_received_at_idx", "lot_id", "received_at"),
    postgresql_partition_by="RANGE (received_at)",
)

lot_occupancy = Table(
    "lot_occupancy",
    metadata,
    Column("lot_id", Text, primary_key=True),
    # Start of the 300 s step, by the time at which reports count.
    Column("step_at", DateTime(timezone=True), primary_key=True),
    # Spaces in service at the end of what is known of the step.
    Column("capacity", Integer, nullable=False),
    # Seconds of the step in which something was known, 0..300; over them the integrals of the
    # spaces in service, of those known to be free or occupied, and of those known to be free.
    Column("covered_s", Float, nullable=False),
    Column("free_space_s", Float, nullable=False),
    # Spaces known to be free: at the end of what is known, least and most. A state that was true
    # at the start of the step counts.
    Column("free_last", Integer, nullable=False),
    Column("free_min", Integer, nullable=False),
    Column("free_max", Integer, nullable=False),
    # Seconds of `covered_s` with no free and no unknown space.
    Column("full_s", Float, nullable=False, server_default=text("0")),
    Column("space_s", Float, nullable=False),
    Column("known_space_s", Float, nullable=False),
    CheckConstraint("covered_s BETWEEN 0 AND 300.000001", name="covered_s"),
    postgresql_partition_by="RANGE (step_at)",
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("dead_letter_id", BigInteger, Identity(always=True), primary_key=True),
    # Keyed (HMAC) digest of topic and payload: a message that comes again is kept once.
    Column("digest", LargeBinary, nullable=False, unique=True),
    # Names that are not registered are masked, in the topic and in the two after it.
    Column("topic", Text, nullable=False),
    Column("gateway_id", Text, nullable=False),
    Column("lot_id", Text, nullable=False),
    Column("epoch", BigInteger),
    Column("seq", BigInteger),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    # Masked: what the contract knows is kept, all else only by its kind.
    Column("payload", Text, nullable=False),
    # Whether the masked payload says all that came, so that it can be taken in again.
    Column("whole", Boolean, nullable=False),
    # Of what came, in bytes; and the byte at which it stopped being JSON, where it did.
    Column("payload_bytes", Integer, nullable=False),
    Column("fault_at", Integer),
    Column("times", Integer, nullable=False, server_default=text("1")),
    _instant("received_at"),
    _instant("last_received_at"),
    # Set by operations; null again once the ingester has taken the message in.
    _instant("replay_requested_at", nullable=True),
    _instant("replayed_at", nullable=True),
    # What became of it then: as an ack says, with the reason after a colon where there is one.
    Column("replay_result", Text),
    Index("dead_letter_gateway_id_last_received_at_idx", "gateway_id", "last_received_at"),
    Index("dead_letter_received_at_idx", "received_at"),
    Index(
        "dead_letter_replay_idx",
        *("lot_id", "epoch", "seq"),
        postgresql_where=text("replay_requested_at IS NOT NULL"),
    ),
)

ingester_status = Table(
    "ingester_status",
    metadata,
    # `ingester`: there is one writer.
    Column("ingester", Text, primary_key=True),
    # When a heartbeat that went through broker, inbox and a commit was committed last.
    _instant("heartbeat_at", nullable=True),
    # Why it takes no messages at the moment; null while it does.
    Column("stopped", Text),
    _instant("stopped_at", nullable=True),
    CheckConstraint("stopped IN ('internal', 'clock')", name="stopped"),
    CheckConstraint("(stopped IS NULL) = (stopped_at IS NULL)", name="stopped_at"),
)
