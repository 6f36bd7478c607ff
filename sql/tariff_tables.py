"""The tables of zones' drafts, tariffs, price controls and the calendar, in the same metadata.

`zone` holds published zones only; their drafts stand apart. A tariff version is immutable once it
has left its draft (a trigger holds it), and `tariff_effect` says what each published version prices
and when: its exclusion constraints keep two versions from ever pricing one zone and lot type, or
one lot, at the same time. Whether a published version is scheduled, in force or superseded follows
from those times alone.
"""

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from sql.tables import metadata


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _names() -> tuple[Column[str], Column[str]]:
    return Column("name_zh", Text, nullable=False), Column("name_en", Text, nullable=False)


def _texts(name: str) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _done(act: str) -> tuple[Column[str], Column[object]]:
    """Who did it, and when; both null before."""
    return Column(f"{act}_by", Text), _instant(f"{act}_at", nullable=True)


zone_draft = Table(
    "zone_draft",
    metadata,
    Column("zone_id", Text, primary_key=True),
    *_names(),
    Column("zone_class", SmallInteger, nullable=False),
    _instant("valid_from"),
    _instant("valid_to", nullable=True),
    # Zones that end when this one begins.
    _texts("replaces"),
    Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
    Column("state", Text, nullable=False, server_default=text("'draft'")),
    Column("drafted_by", Text, nullable=False),
    _instant("drafted_at"),
    *_done("published"),
    CheckConstraint("zone_class BETWEEN 1 AND 3", name="zone_class"),
    CheckConstraint("valid_to > valid_from", name="valid_to"),
    CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name="state"),
    CheckConstraint("published_by <> drafted_by", name="two_people"),
)

tariff = Table(
    "tariff",
    metadata,
    Column("tariff_id", Text, primary_key=True),
    Column("created_by", Text, nullable=False),
    _instant("created_at"),
)

tariff_version = Table(
    "tariff_version",
    metadata,
    Column("tariff_id", Text, ForeignKey("tariff.tariff_id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    # As text, so that it is given back as it was drafted.
    Column("document", JSON, nullable=False),
    # SHA-256 of the canonical document, in hex.
    Column("content_hash", Text, nullable=False),
    # Either zones and lot types, each with each, or single lots.
    _texts("zones"),
    _texts("lot_types"),
    _texts("lots"),
    # The version that it goes back to.
    Column("copy_of", Integer),
    Column("state", Text, nullable=False, server_default=text("'draft'")),
    Column("imported", Boolean, nullable=False, server_default=text("false")),
    Column("drafted_by", Text, nullable=False),
    _instant("drafted_at"),
    *_done("submitted"),
    *_done("approved"),
    *_done("published"),
    *_done("withdrawn"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint(
        "state IN ('draft', 'in_review', 'approved', 'published', 'withdrawn')", name="state"
    ),
    CheckConstraint(
        "cardinality(zones) > 0 AND cardinality(lot_types) > 0 AND cardinality(lots) = 0"
        " OR cardinality(zones) = 0 AND cardinality(lot_types) = 0 AND cardinality(lots) > 0",
        name="applies_to",
    ),
    CheckConstraint("approved_by <> drafted_by AND approved_by <> submitted_by", name="two_people"),
    CheckConstraint(
        "state NOT IN ('approved', 'published') OR approved_by IS NOT NULL OR imported",
        name="approved",
    ),
)

tariff_effect = Table(
    "tariff_effect",
    metadata,
    Column("effect_id", BigInteger, Identity(always=True), primary_key=True),
    Column("tariff_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("zone_id", Text, ForeignKey("zone.zone_id")),
    Column("lot_type", Text),
    Column("lot_id", Text, ForeignKey("lot.lot_id")),
    # Half-open; cut short when a later version takes over, or on withdrawal.
    Column("effective", TSTZRANGE, nullable=False),
    # The end that was meant at publication; null for none.
    _instant("planned_to", nullable=True),
    ForeignKeyConstraint(
        ["tariff_id", "version"], ["tariff_version.tariff_id", "tariff_version.version"]
    ),
    Index("tariff_effect_tariff_id_version_idx", "tariff_id", "version"),
    CheckConstraint("NOT isempty(effective)", name="effective"),
    CheckConstraint(
        "(lot_id IS NULL) = (zone_id IS NOT NULL) AND (zone_id IS NULL) = (lot_type IS NULL)",
        name="target",
    ),
    ExcludeConstraint(
        ("zone_id", "="),
        ("lot_type", "="),
        ("effective", "&&"),
        name="tariff_effect_zone_excl",
        using="gist",
    ),
    ExcludeConstraint(
        ("lot_id", "="), ("effective", "&&"), name="tariff_effect_lot_excl", using="gist"
    ),
)

price_control = Table(
    "price_control",
    metadata,
    Column("price_control_id", Text, primary_key=True),
    Column("legal_reference_zh", Text, nullable=False),
    Column("legal_reference_en", Text, nullable=False),
    # Null for every class.
    Column("zone_class", SmallInteger),
    _texts("lot_types"),
    Column("currency", Text, nullable=False),
    # The class of vehicle that it holds for; null for every one.
    Column("vehicle", Text),
    # An hour's price, by the rate of each tier; so are floor and ceiling.
    Column("base_minor", Integer, nullable=False),
    Column("float_up_percent", Integer),
    Column("float_down_percent", Integer),
    Column("floor_minor", Integer),
    Column("ceiling_minor", Integer),
    # The most that 24 hours, or one flat charge, may cost.
    Column("day_ceiling_minor", Integer),
    _instant("valid_from"),
    _instant("valid_to", nullable=True),
    Column("drafted_by", Text, nullable=False),
    _instant("drafted_at"),
    *_done("approved"),
    CheckConstraint("zone_class BETWEEN 1 AND 3", name="zone_class"),
    CheckConstraint("valid_to > valid_from", name="valid_to"),
    CheckConstraint("base_minor >= 0", name="base_minor"),
    CheckConstraint("float_up_percent >= 0", name="float_up_percent"),
    CheckConstraint("float_down_percent BETWEEN 0 AND 100", name="float_down_percent"),
    CheckConstraint("floor_minor BETWEEN 0 AND base_minor", name="floor_minor"),
    CheckConstraint("ceiling_minor >= base_minor", name="ceiling_minor"),
    CheckConstraint("day_ceiling_minor >= 0", name="day_ceiling_minor"),
    CheckConstraint("approved_by <> drafted_by", name="two_people"),
)

city_calendar = Table(
    "city_calendar",
    metadata,
    # Written once, as the State Council announces a year; never changed.
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("holidays", ARRAY(Date), nullable=False),
    Column("makeup_workdays", ARRAY(Date), nullable=False),
    Column("published_by", Text, nullable=False),
    _instant("published_at"),
    CheckConstraint("year BETWEEN 2000 AND 2199", name="year"),
)
