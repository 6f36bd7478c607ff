"""The registered city: districts, operators, gateways, zones, lots and their spaces."""

from datetime import datetime, time

from sqlalchemy import REAL, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sql.kinds import LandUse, LotType, Reporting, SpaceClass
from sql.schema.base import Base, MultiPolygon, Point, SmallInt, check, one_of


class District(Base):
    """A district of the city."""

    __table_args__ = (Index(None, "geom", postgresql_using="gist"),)

    adcode: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    geom: Mapped[MultiPolygon]


class Place(Base):
    """A named place, which drivers search for."""

    place_id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    district: Mapped[str | None] = mapped_column(ForeignKey("district.adcode"), index=True)
    geog: Mapped[Point]


class Operator(Base):
    """A company that runs lots."""

    operator_id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]


class Gateway(Base):
    """A device that reports for lots of one operator."""

    gateway_id: Mapped[str] = mapped_column(primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("operator.operator_id"), index=True)
    # True only for a gateway that the simulators drive.
    simulated: Mapped[bool] = mapped_column(server_default=text("false"))
    # As the broker wants it; null until a password has been issued.
    password_hash: Mapped[str | None]
    # A person issued or revoked it, through the API: the command leaves it alone from then on.
    password_by_person: Mapped[bool] = mapped_column(server_default=text("false"))


class Zone(Base):
    """A tariff polygon that has been published."""

    __table_args__ = (Index(None, "geom", postgresql_using="gist"),)

    zone_id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    zone_class: Mapped[SmallInt] = mapped_column(check("zone_class", "BETWEEN 1 AND 3"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None] = mapped_column(check("valid_to", "> valid_from"))
    geom: Mapped[MultiPolygon]


class Lot(Base):
    """A parking site."""

    __table_args__ = (
        Index(None, "geog", postgresql_using="gist"),
        CheckConstraint("(opens_at IS NULL) = (closes_at IS NULL)", name="opening_hours"),
        CheckConstraint(
            "closed_until > closed_from AND closed_from IS NOT NULL"
            " OR closed_until IS NULL AND (closed_from IS NOT NULL OR closed_reason IS NULL)",
            name="closure",
        ),
    )

    lot_id: Mapped[str] = mapped_column(primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("operator.operator_id"), index=True)
    gateway_id: Mapped[str] = mapped_column(ForeignKey("gateway.gateway_id"), index=True)
    district: Mapped[str | None] = mapped_column(ForeignKey("district.adcode"), index=True)
    zone_id: Mapped[str | None] = mapped_column(ForeignKey("zone.zone_id"), index=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    lot_type: Mapped[LotType] = mapped_column(one_of("lot_type", LotType))
    land_use: Mapped[LandUse | None] = mapped_column(one_of("land_use", LandUse))
    reporting: Mapped[Reporting] = mapped_column(one_of("reporting", Reporting))
    # The longest silence of its feed that is normal, in seconds.
    report_interval_s: Mapped[int] = mapped_column(
        check("report_interval_s", "BETWEEN 10 AND 86400")
    )
    capacity: Mapped[int] = mapped_column(check("capacity", "BETWEEN 1 AND 20000"))
    levels: Mapped[SmallInt] = mapped_column(check("levels", ">= 1"), server_default=text("1"))
    height_limit_m: Mapped[float | None] = mapped_column(REAL)
    # Local times of day; both null for round the clock.
    opens_at: Mapped[time | None]
    closes_at: Mapped[time | None]
    timezone: Mapped[str] = mapped_column(server_default=text("'Asia/Shanghai'"))
    geog: Mapped[Point]
    # Its operator has closed it for a time: until then exclusive, or without end; why, in the
    # operator's own words.
    closed_from: Mapped[datetime | None]
    closed_until: Mapped[datetime | None]
    closed_reason: Mapped[str | None]
    # Since then it is in no answer but its history.
    retired_at: Mapped[datetime | None]


class Space(Base):
    """A place (bay) in a lot."""

    __table_args__ = (Index(None, "geog", postgresql_using="gist"),)

    lot_id: Mapped[str] = mapped_column(
        ForeignKey("lot.lot_id", ondelete="CASCADE"), primary_key=True
    )
    # The lot's own numbering, from 1; bay n is bit n-1 of the lot's bitmaps.
    number: Mapped[int] = mapped_column(check("number", ">= 1"), primary_key=True)
    level: Mapped[SmallInt]
    space_class: Mapped[SpaceClass] = mapped_column(one_of("space_class", SpaceClass))
    geog: Mapped[Point]
