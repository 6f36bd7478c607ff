"""What is known of the lots: their state now, and its history in partitions."""

from datetime import datetime
from typing import Final, get_args

from sqlalchemy import ARRAY, REAL, CheckConstraint, Double, Enum, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from sql.kinds import SpaceState, Transport
from sql.schema.base import Base, BigInt, SmallInt, check, one_of

# SQLAlchemy maps only classes with a key, so it is given one; in the database, events have none.
UNKEYED: Final = {"primary_key": ["lot_id", "received_at"]}

# Columns of a packed day that may have one value for all of its steps.
PACKED_ONCE: Final = (
    *("capacity", "covered_s", "free_space_s", "free_min", "free_max", "full_s", "space_s"),
    "known_space_s",
)


class Retention(Base):
    """How long a table of the history is kept at least; only the owner changes it."""

    table_name: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(check("days", "> 0"))


class LotState(Base):
    """The last committed state of a lot.

    It changes all day, the lot itself hardly ever: so it has a row of its own, no secondary index
    and half empty pages, and its updates stay on their page (HOT).
    """

    __table_args__ = (
        CheckConstraint(
            "free_spaces >= 0 AND unknown_spaces >= 0 AND free_spaces + unknown_spaces <= capacity",
            name="counts",
        ),
        {"postgresql_with": {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.5}},
    )

    lot_id: Mapped[str] = mapped_column(
        ForeignKey("lot.lot_id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[BigInt]
    seq: Mapped[BigInt]
    # Microseconds of the commit's clock, or one more than before: rises across a restore too.
    version: Mapped[BigInt]
    # Spaces in service; how many of them are known to be free.
    capacity: Mapped[int]
    free_spaces: Mapped[int]
    # Bay n at bit (n-1) mod 8 of byte (n-1) div 8; null where the lot counts at its gates.
    occupied_bits: Mapped[bytes | None]
    unknown_bits: Mapped[bytes | None]
    # One for each of SPACE_CLASSES.
    free_standard: Mapped[int | None]
    free_accessible: Mapped[int | None]
    free_ev: Mapped[int | None]
    free_large: Mapped[int | None]
    # From when its age runs: the report's own time, bounded by when it came in.
    observed_at: Mapped[datetime] = mapped_column(
        check("observed_at", "BETWEEN '2000-01-01 00:00:00+00' AND received_at")
    )
    received_at: Mapped[datetime]
    committed_at: Mapped[datetime]
    # Spaces in service of which nothing is known.
    unknown_spaces: Mapped[int]
    # The newest instant that the lot's occupancy in steps holds: nothing before it changes.
    history_at: Mapped[datetime]
    # How the report came; before HTTP was built, all came over MQTT.
    transport: Mapped[Transport] = mapped_column(
        one_of("transport", Transport), server_default=text("'mqtt'")
    )


class SpaceEvent(Base):
    """A change of one bay."""

    __table_args__ = (
        Index(None, "lot_id", "received_at"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )
    __mapper_args__ = UNKEYED

    lot_id: Mapped[str]
    number: Mapped[int]
    state: Mapped[SpaceState] = mapped_column(Enum(*get_args(SpaceState), name="space_state"))
    observed_at: Mapped[datetime]
    received_at: Mapped[datetime]


class CountEvent(Base):
    """A count of a lot at its gates."""

    __table_args__ = (
        Index(None, "lot_id", "received_at"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )
    __mapper_args__ = UNKEYED

    lot_id: Mapped[str]
    free_spaces: Mapped[int]
    capacity: Mapped[int]
    observed_at: Mapped[datetime]
    received_at: Mapped[datetime]


class LotOccupancy(Base):
    """The occupancy of a lot in a step of 300 s."""

    __table_args__ = ({"postgresql_partition_by": "RANGE (step_at)"},)

    lot_id: Mapped[str] = mapped_column(primary_key=True)
    # Start of the step, by the time at which reports count.
    step_at: Mapped[datetime] = mapped_column(primary_key=True)
    # Spaces in service at the end of what is known of the step.
    capacity: Mapped[int]
    # Seconds of the step in which something was known, and over them the integral of the spaces
    # that were known to be free.
    covered_s: Mapped[float] = mapped_column(check("covered_s", "BETWEEN 0 AND 300.000001"))
    free_space_s: Mapped[float]
    # Spaces known to be free: at the end of what is known, least and most. A state that was true
    # at the start of the step counts.
    free_last: Mapped[int]
    free_min: Mapped[int]
    free_max: Mapped[int]
    # Seconds of `covered_s` with no free and no unknown space.
    full_s: Mapped[float] = mapped_column(server_default=text("0"))
    # The integrals of the spaces in service, and of those known to be free or occupied.
    space_s: Mapped[float]
    known_space_s: Mapped[float]


class LotOccupancyDay(Base):
    """The occupancy of a lot in the 288 steps of a past day (UTC), as an import brought it.

    One row of 1.4 kB where single steps take 288 rows and 48 kB. Both together are the view
    `lot_history`, in which a step that a feed has written hides the one that stands here.
    """

    __table_args__ = (
        CheckConstraint(
            "0 <= ALL (occupied) AND capacity >= ALL (occupied) AND cardinality(occupied) = 288",
            name="occupied",
        ),
        CheckConstraint(
            "0 < ALL (covered_s) AND 300 >= ALL (covered_s) AND cardinality(covered_s) = 288",
            name="covered_s",
        ),
        {"postgresql_partition_by": "RANGE (day_at)"},
    )

    lot_id: Mapped[str] = mapped_column(primary_key=True)
    # Its first instant.
    day_at: Mapped[datetime] = mapped_column(
        check("day_at", "= date_bin('1 day', day_at, '2000-01-01 00:00:00+00')"), primary_key=True
    )
    # A later import adds the steps that were not known yet under the next number.
    part: Mapped[SmallInt] = mapped_column(primary_key=True, autoincrement=False)
    # Spaces in service.
    capacity: Mapped[int] = mapped_column(check("capacity", "> 0"))
    # Occupied spaces in each step, the mean over what is known of it; null where nothing is.
    occupied: Mapped[list[float | None]] = mapped_column(ARRAY(REAL))
    # Seconds of each step that are known; null where that is all 300 of each.
    covered_s: Mapped[list[float] | None] = mapped_column(ARRAY(REAL))


class LotOccupancyFed(Base):
    """The occupancy of a lot in the 288 steps of a past day (UTC), as feeds wrote it, packed.

    The columns are those of `LotOccupancy`; where nothing is known of a step, `free_last` has a
    null. A column whose known values are all the same has it once, in an array of one. A step
    stands here or there, but for one of which a report came late: until it is added here.
    """

    __table_args__ = (
        CheckConstraint(
            "day_at = date_bin('1 day', day_at, '2000-01-01 00:00:00+00')", name="day_at"
        ),
        CheckConstraint("cardinality(free_last) = 288", name="free_last"),
        *(
            CheckConstraint(f"cardinality({name}) = ANY (ARRAY[1, 288])", name=name)
            for name in PACKED_ONCE
        ),
        {"postgresql_partition_by": "RANGE (day_at)"},
    )

    lot_id: Mapped[str] = mapped_column(primary_key=True)
    day_at: Mapped[datetime] = mapped_column(primary_key=True)
    capacity: Mapped[list[int | None]] = mapped_column(ARRAY(Integer))
    covered_s: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    free_space_s: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    free_last: Mapped[list[int | None]] = mapped_column(ARRAY(Integer))
    free_min: Mapped[list[int | None]] = mapped_column(ARRAY(Integer))
    free_max: Mapped[list[int | None]] = mapped_column(ARRAY(Integer))
    full_s: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    space_s: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    known_space_s: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
