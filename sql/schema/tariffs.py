"""Zones' drafts, tariffs and their versions, price controls, the calendar."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from sql.schema.base import Base, Json, MultiPolygon, SmallInt, Texts, check


class ZoneDraft(Base):
    """A zone that is not published yet, or was; `zone` holds the published ones only."""

    __table_args__ = (CheckConstraint("published_by <> drafted_by", name="two_people"),)

    zone_id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    zone_class: Mapped[SmallInt] = mapped_column(check("zone_class", "BETWEEN 1 AND 3"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None] = mapped_column(check("valid_to", "> valid_from"))
    # Zones that end when this one begins.
    replaces: Mapped[Texts]
    geom: Mapped[MultiPolygon]
    state: Mapped[str] = mapped_column(
        check("state", "IN ('draft', 'published', 'withdrawn')"), server_default=text("'draft'")
    )
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    published_by: Mapped[str | None]
    published_at: Mapped[datetime | None]


class Tariff(Base):
    """A tariff, which is the sum of its versions."""

    tariff_id: Mapped[str] = mapped_column(primary_key=True)
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class TariffVersion(Base):
    """A version of a tariff; a trigger keeps it as it is once it has left its draft."""

    __table_args__ = (
        CheckConstraint(
            "cardinality(zones) > 0 AND cardinality(lot_types) > 0 AND cardinality(lots) = 0"
            " OR cardinality(zones) = 0 AND cardinality(lot_types) = 0 AND cardinality(lots) > 0",
            name="applies_to",
        ),
        CheckConstraint(
            "approved_by <> drafted_by AND approved_by <> submitted_by", name="two_people"
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'published') OR approved_by IS NOT NULL OR imported",
            name="approved",
        ),
        CheckConstraint(
            "(issuing_office_zh IS NULL) = (issuing_office_en IS NULL)", name="issuing_office"
        ),
    )

    tariff_id: Mapped[str] = mapped_column(ForeignKey("tariff.tariff_id"), primary_key=True)
    version: Mapped[int] = mapped_column(check("version", ">= 1"), primary_key=True)
    document: Mapped[Json]
    # SHA-256 of the canonical document, in hex.
    content_hash: Mapped[str]
    # Either zones and lot types, each with each, or single lots.
    zones: Mapped[Texts]
    lot_types: Mapped[Texts]
    lots: Mapped[Texts]
    # The version that it goes back to.
    copy_of: Mapped[int | None]
    state: Mapped[str] = mapped_column(
        check("state", "IN ('draft', 'in_review', 'approved', 'published', 'withdrawn')"),
        server_default=text("'draft'"),
    )
    imported: Mapped[bool] = mapped_column(server_default=text("false"))
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    published_by: Mapped[str | None]
    published_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    # What its notice says of itself; given at publication.
    issuing_office_zh: Mapped[str | None]
    issuing_office_en: Mapped[str | None]
    document_number: Mapped[str | None]
    issued_on: Mapped[date | None]


class TariffEffect(Base):
    """What a published version prices, and when.

    No two versions ever price one zone and lot type, or one lot, at the same time. Whether a
    version is scheduled, in force or superseded follows from these times alone.
    """

    __table_args__ = (
        ForeignKeyConstraint(
            ["tariff_id", "version"], ["tariff_version.tariff_id", "tariff_version.version"]
        ),
        Index(None, "tariff_id", "version"),
        CheckConstraint("NOT isempty(effective)", name="effective"),
        CheckConstraint(
            "(lot_id IS NULL) = (zone_id IS NOT NULL) AND (zone_id IS NULL) = (lot_type IS NULL)",
            name="target",
        ),
        ExcludeConstraint(
            *(("zone_id", "="), ("lot_type", "="), ("effective", "&&")),
            name="tariff_effect_zone_excl",
        ),
        ExcludeConstraint(("lot_id", "="), ("effective", "&&"), name="tariff_effect_lot_excl"),
    )

    effect_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tariff_id: Mapped[str]
    version: Mapped[int]
    zone_id: Mapped[str | None] = mapped_column(ForeignKey("zone.zone_id"))
    lot_type: Mapped[str | None]
    lot_id: Mapped[str | None] = mapped_column(ForeignKey("lot.lot_id"))
    # Half-open; cut short when a later version takes over, or on withdrawal.
    effective: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    # The end that was meant at publication; null for none.
    planned_to: Mapped[datetime | None]


class TariffSuspension(Base):
    """A window in which a published version is held back, or gives no price; it is kept."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["tariff_id", "version"], ["tariff_version.tariff_id", "tariff_version.version"]
        ),
        CheckConstraint("confirmed_by <> suspended_by", name="two_people"),
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="during"),
        CheckConstraint("NOT upper_inf(during) OR confirmed_by IS NOT NULL", name="lapses"),
        ExcludeConstraint(
            *(("tariff_id", "="), ("version", "="), ("during", "&&")),
            name="tariff_suspension_version_excl",
        ),
    )

    suspension_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tariff_id: Mapped[str]
    version: Mapped[int]
    # Half-open; without an end once a second person has confirmed it.
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    # Public.
    reason: Mapped[str]
    suspended_by: Mapped[str]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    resumed_by: Mapped[str | None]
    resumed_at: Mapped[datetime | None]


class Decision(Base):
    """An act that changes what a stay costs: one person asks for it, another confirms it."""

    __table_args__ = (
        CheckConstraint("state <> 'confirmed' OR settled_by <> asked_by", name="two_people"),
        CheckConstraint("(state = 'asked') = (settled_by IS NULL)", name="settled"),
    )

    decision_id: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str]
    subject: Mapped[str]
    # What the act takes.
    asked: Mapped[Json]
    state: Mapped[str] = mapped_column(check("state", "IN ('asked', 'confirmed', 'withdrawn')"))
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    lapses_at: Mapped[datetime] = mapped_column(check("lapses_at", "> asked_at"))
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    # Of an import: when it was done.
    used_at: Mapped[datetime | None]


class PriceControl(Base):
    """A limit that the law sets to prices."""

    __table_args__ = (CheckConstraint("approved_by <> drafted_by", name="two_people"),)

    price_control_id: Mapped[str] = mapped_column(primary_key=True)
    legal_reference_zh: Mapped[str]
    legal_reference_en: Mapped[str]
    # Null for every class.
    zone_class: Mapped[SmallInt | None] = mapped_column(check("zone_class", "BETWEEN 1 AND 3"))
    lot_types: Mapped[Texts]
    currency: Mapped[str]
    # The class of vehicle that it holds for; null for every one.
    vehicle: Mapped[str | None]
    # An hour's price, by the rate of each tier; so are floor and ceiling.
    base_minor: Mapped[int] = mapped_column(check("base_minor", ">= 0"))
    float_up_percent: Mapped[int | None] = mapped_column(check("float_up_percent", ">= 0"))
    float_down_percent: Mapped[int | None] = mapped_column(
        check("float_down_percent", "BETWEEN 0 AND 100")
    )
    floor_minor: Mapped[int | None] = mapped_column(
        check("floor_minor", "BETWEEN 0 AND base_minor")
    )
    ceiling_minor: Mapped[int | None] = mapped_column(check("ceiling_minor", ">= base_minor"))
    # The most that 24 hours, or one flat charge, may cost.
    day_ceiling_minor: Mapped[int | None] = mapped_column(check("day_ceiling_minor", ">= 0"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None] = mapped_column(check("valid_to", "> valid_from"))
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]


class CityCalendar(Base):
    """The holidays of a year, written once, as the State Council announces it; never changed."""

    year: Mapped[int] = mapped_column(
        check("year", "BETWEEN 2000 AND 2199"), primary_key=True, autoincrement=False
    )
    holidays: Mapped[list[date]]
    makeup_workdays: Mapped[list[date]]
    published_by: Mapped[str]
    published_at: Mapped[datetime]
