"""The tables of price mechanisms and of their reviews, in the same metadata.

A mechanism is immutable once it has left its draft (a trigger holds it) but for its mode, and its
targets keep two mechanisms from ever moving the price of one zone and lot type. A review is never
changed; what came of it is written beside it, once.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
    text,
)

from sql.tables import metadata


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


price_mechanism = Table(
    "price_mechanism",
    metadata,
    Column("mechanism_id", Text, primary_key=True),
    # As text, so that it is given back as it was drafted.
    Column("definition", JSON, nullable=False),
    # SHA-256 of the canonical definition, in hex.
    Column("content_hash", Text, nullable=False),
    Column("zone_id", Text, ForeignKey("zone.zone_id"), nullable=False),
    Column("lot_types", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False, server_default=text("'draft'")),
    # What holds now, whatever the definition began with.
    Column("mode", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    _instant("drafted_at"),
    Column("approved_by", Text),
    _instant("approved_at", nullable=True),
    Column("retired_by", Text),
    _instant("retired_at", nullable=True),
    CheckConstraint("cardinality(lot_types) > 0", name="lot_types"),
    CheckConstraint("state IN ('draft', 'approved', 'retired')", name="state"),
    CheckConstraint("mode IN ('on', 'frozen')", name="mode"),
    CheckConstraint("approved_by <> drafted_by", name="two_people"),
    CheckConstraint("state <> 'approved' OR approved_by IS NOT NULL", name="approved"),
)

price_mechanism_target = Table(
    "price_mechanism_target",
    metadata,
    # Of approved mechanisms: no zone and lot type has two.
    Column("zone_id", Text, primary_key=True),
    Column("lot_type", Text, primary_key=True),
    Column("mechanism_id", Text, ForeignKey("price_mechanism.mechanism_id"), nullable=False),
)

mechanism_review = Table(
    "mechanism_review",
    metadata,
    Column("mechanism_id", Text, ForeignKey("price_mechanism.mechanism_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _instant("reviewed_at"),
    Column("reviewed_by", Text, nullable=False),
    # The mechanism as it was then, with its mode.
    Column("definition", JSON, nullable=False),
    # The history that was read, half-open, and how many lots had a share in it.
    _instant("read_from"),
    _instant("read_to"),
    Column("lots", Integer, nullable=False),
    # The tariff version that was in force.
    Column("tariff_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # For each time band what was read, the rule, the price before and after, and why.
    Column("proposals", JSON, nullable=False),
    # The version that was drafted from it, if one was.
    Column("drafted_version", Integer),
    Column("drafted_by", Text),
    _instant("drafted_at", nullable=True),
    ForeignKeyConstraint(
        ["tariff_id", "version"], ["tariff_version.tariff_id", "tariff_version.version"]
    ),
    ForeignKeyConstraint(
        ["tariff_id", "drafted_version"],
        ["tariff_version.tariff_id", "tariff_version.version"],
    ),
    CheckConstraint("number >= 1", name="number"),
    CheckConstraint("read_from < read_to", name="read_to"),
    CheckConstraint(
        "(drafted_version IS NULL) = (drafted_by IS NULL)"
        " AND (drafted_version IS NULL) = (drafted_at IS NULL)",
        name="drafted",
    ),
)
