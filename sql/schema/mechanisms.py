"""Price mechanisms, what they move, and their reviews."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sql.schema.base import Base, Json, check


class PriceMechanism(Base):
    """A rule that moves prices; a trigger keeps it, but for its mode, once it is no draft."""

    __table_args__ = (
        CheckConstraint("cardinality(lot_types) > 0", name="lot_types"),
        CheckConstraint("approved_by <> drafted_by", name="two_people"),
        CheckConstraint("state <> 'approved' OR approved_by IS NOT NULL", name="approved"),
    )

    mechanism_id: Mapped[str] = mapped_column(primary_key=True)
    definition: Mapped[Json]
    # SHA-256 of the canonical definition, in hex.
    content_hash: Mapped[str]
    zone_id: Mapped[str] = mapped_column(ForeignKey("zone.zone_id"))
    lot_types: Mapped[list[str]]
    state: Mapped[str] = mapped_column(
        check("state", "IN ('draft', 'approved', 'retired')"), server_default=text("'draft'")
    )
    # What holds now, whatever the definition began with.
    mode: Mapped[str] = mapped_column(check("mode", "IN ('on', 'frozen')"))
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]
    retired_at: Mapped[datetime | None]


class PriceMechanismTarget(Base):
    """A zone and lot type whose price an approved mechanism moves; none has two."""

    zone_id: Mapped[str] = mapped_column(primary_key=True)
    lot_type: Mapped[str] = mapped_column(primary_key=True)
    mechanism_id: Mapped[str] = mapped_column(ForeignKey("price_mechanism.mechanism_id"))


class MechanismReview(Base):
    """What a mechanism proposed once. It never changes; what came of it is added, once."""

    __table_args__ = (
        *(
            ForeignKeyConstraint(
                ["tariff_id", version], ["tariff_version.tariff_id", "tariff_version.version"]
            )
            for version in ("version", "drafted_version")
        ),
        CheckConstraint(
            "(drafted_version IS NULL) = (drafted_by IS NULL)"
            " AND (drafted_version IS NULL) = (drafted_at IS NULL)",
            name="drafted",
        ),
    )

    mechanism_id: Mapped[str] = mapped_column(
        ForeignKey("price_mechanism.mechanism_id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(check("number", ">= 1"), primary_key=True)
    reviewed_at: Mapped[datetime]
    reviewed_by: Mapped[str]
    # The mechanism as it was then, with its mode.
    definition: Mapped[Json]
    # The history that was read, half-open, and how many lots had a share in it.
    read_from: Mapped[datetime]
    read_to: Mapped[datetime] = mapped_column(
        CheckConstraint("read_from < read_to", name="read_to")
    )
    lots: Mapped[int]
    # The tariff version that was in force.
    tariff_id: Mapped[str]
    version: Mapped[int]
    # For each time band what was read, the rule, the price before and after, and why.
    proposals: Mapped[list[Json]]
    # The version that was drafted from it, if one was.
    drafted_version: Mapped[int | None]
    drafted_by: Mapped[str | None]
    drafted_at: Mapped[datetime | None]
