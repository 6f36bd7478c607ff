"""The two rules by which a review moves a price; plain numbers in, the new price out.

SFpark's is that of San Francisco's pilot of 2011 to 2013 with the thresholds and the step that the
city of this platform compares against. Ours

- looks at demand: how full the lot would be if nobody were turned away;
- knows the lot's size: it aims at the occupancy at which, of as many arrivals as the lot has
  spaces, so many are turned away (of 200 spaces one of 200, of 100 one of 100; where there are
  fewer than 60 spaces more, as dearer prices there spare few);
- lets prices rest from six points below its aim to the aim, always inside the size-aware band;
- moves the aim of a lot beside full ones towards the upper end of its band, so that it gets
  cheaper while it has room for those whom they turn away;
- moves prices by as much as demand is off, at most by a quarter.

The constants were chosen in a city of steady demand. What they are worth where days and hours
differ, is what `load_tests.closed_loop` measures (docs/bureau.md).
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from pricing.mechanism.erlang import busy_share, load_behind

SFPARK_FULL: Final = 0.80
SFPARK_IDLE: Final = 0.60
SFPARK_SMALL_PRICE_MINOR: Final = 200
UPPER_FROM: Final = 0.70
UPPER_TO: Final = 0.90
BAND_WIDTH: Final = 0.20
MOST_STEP: Final = 0.25
# Arrivals turned away at the aim, of as many as the lot has spaces; this many in lots of so many
# spaces or more, in smaller ones the more, the smaller.
TURNED_AWAY: Final = 0.6
SMALL_LOT: Final = 60
# Prices rest this far below the aim, and only this far inside the band's ends, lest chance carry
# occupancy out of it again.
REST_WIDTH: Final = 0.06
MARGIN: Final = 0.02
# Beside a lot that is full for this share of the time, the aim is this far below the upper end.
BESIDE_FULL: Final = 0.30
BESIDE_MARGIN: Final = 0.03
# Demand in excess, and lacking, at which a step is as large as it may be.
WHOLE_EXCESS: Final = 0.30
WHOLE_LACK: Final = 0.20
# How far beyond the band a lot must be before its price rises that fell last, or falls that rose
# last: much of a lack that follows a rise is that neighbours got cheaper too.
WATCH_RISE: Final = 0.05
WATCH_FALL: Final = 0.15
# No lot is full for longer in the reckoning, no aim lets more be turned away, no lot is busier.
_MOST_PRESSURE: Final = 0.90
_MOST_SHARE: Final = 0.50
_MOST_BUSY: Final = 0.999


class Rule(StrEnum):
    """Which rule a mechanism follows."""

    SFPARK = "sfpark"
    SIZE_AWARE = "size_aware"


class Reason(StrEnum):
    """Why a price moves, or why it stays."""

    FULL = "full"
    BLOCKED = "blocked"
    IDLE = "idle"
    BESIDE_FULL = "beside_full"
    IN_BAND = "in_band"
    WATCH = "watch"
    AT_CEILING = "at_ceiling"
    AT_FLOOR = "at_floor"
    GRID = "grid"
    FROZEN = "frozen"
    TOO_SOON = "too_soon"
    COVERAGE = "coverage"
    OUT_OF_SEASON = "out_of_season"


class Band(NamedTuple):
    """Occupancies between which the price is right, 0..1."""

    lower: float
    upper: float


class Limits(NamedTuple):
    """What no price leaves, in the smallest unit an hour: floor and ceiling on the grid."""

    floor: int
    ceiling: int
    grid: int


class Situation(NamedTuple):
    """What a review knows of one lot, or zone, and time band.

    Attributes:
        price: now, smallest unit an hour.
        direction: of its last change: 1 up, -1 down, 0 none yet.
        occupancy: mean, 0..1.
        spaces: of the lot; of a zone of several, of a typical one.
        band: of the target.
        pressure: share of arrivals blocked, 0..1; None where not measured. As Poisson arrivals see
            time averages (Wolff, 1982), the share of time without a free space stands for it.
        pressure_beside: the greatest among the neighbouring lots, likewise.
    """

    price: int
    direction: int
    occupancy: float
    spaces: int
    band: Band
    pressure: float | None = None
    pressure_beside: float | None = None


class Move(NamedTuple):
    """A price as it will be, and why."""

    price: int
    reason: Reason


class Steps(NamedTuple):
    """How ours moves a price: at most `up` or `down` of it, 0..1, towards its aim.

    Attributes:
        turned_away: arrivals that the aim lets be turned away, of as many as the lot has spaces;
            SMALL_LOT / spaces times as many in a lot that is smaller.
    """

    up: float = MOST_STEP
    down: float = MOST_STEP
    turned_away: float = TURNED_AWAY


def size_aware_band(spaces: int) -> Band:
    """The band of a lot of `spaces` spaces: up to where Erlang-B blocks 5 %, clamped to 0.7..0.9.

    Raises:
        ValueError: no spaces.
    """
    upper = min(UPPER_TO, max(UPPER_FROM, busy_share(spaces)))
    return Band(upper - BAND_WIDTH, upper)


def sfpark(now: Situation, limits: Limits, step: int, small_step: int) -> Move:
    """One step up from 80 % on, one down below 60 %; `small_step` where under 2 yuan an hour."""
    size = small_step if now.price < SFPARK_SMALL_PRICE_MINOR else step
    if now.occupancy >= SFPARK_FULL:
        return _bounded(now.price + size, Reason.FULL, limits)
    if now.occupancy < SFPARK_IDLE:
        return _bounded(now.price - size, Reason.IDLE, limits)
    return _bounded(now.price, Reason.IN_BAND, limits)


def size_aware(now: Situation, limits: Limits, steps: Steps) -> Move:
    """A step in proportion to the need, on the grid.

    A change of direction waits until the lot is clear of the band.
    """
    need, reason = _need(now, steps.turned_away)
    if need * now.direction < 0 and not _clear(now, need):
        return _bounded(now.price, Reason.WATCH, limits)
    wanted = _on_grid(now.price, need * (steps.up if need > 0 else steps.down), limits.grid)
    if need and wanted == now.price:
        return _bounded(wanted, Reason.GRID, limits)
    return _bounded(wanted, reason, limits)


def resting(
    spaces: int, band: Band, turned_away: float = TURNED_AWAY, pressure_beside: float | None = None
) -> Band:
    """Occupancies of a lot between which ours lets a price rest; the upper end is its aim.

    Raises:
        ValueError: no spaces, or nobody to be turned away.
    """
    alone, beside = _resting(spaces, band, turned_away)
    weight = min(1.0, (pressure_beside or 0.0) / BESIDE_FULL)
    lower, upper = (one + weight * (other - one) for one, other in zip(alone, beside, strict=True))
    return Band(lower, upper)


@lru_cache(maxsize=65_536)
def _resting(spaces: int, band: Band, turned_away: float) -> tuple[Band, Band]:
    """Of a lot by itself, and of one beside a full one."""
    # A narrow band has narrower margins, so that there is always something between them.
    margin = min(MARGIN, (band.upper - band.lower) / 4)
    lowest, highest = band.lower + margin, band.upper - margin
    share = turned_away / spaces * max(1.0, SMALL_LOT / spaces)
    aim = min(highest, max(lowest, busy_share(spaces, min(_MOST_SHARE, share))))
    aim_beside = max(aim, band.upper - BESIDE_MARGIN)
    return (
        Band(max(lowest, aim - REST_WIDTH), aim),
        Band(max(lowest, aim_beside - MARGIN), aim_beside),
    )


def demand(now: Situation) -> float:
    """Offered load over the spaces: the occupancy, had nobody been turned away.

    Of all arrivals the share 1 - pressure is let in. Where pressure was not measured, the load
    that Erlang's formula finds behind the occupancy.
    """
    if now.pressure is None:
        return load_behind(now.spaces, min(_MOST_BUSY, max(0.0, now.occupancy))) / now.spaces
    return now.occupancy / (1 - min(_MOST_PRESSURE, now.pressure))


def _need(now: Situation, turned_away: float) -> tuple[float, Reason]:
    """From -1 (as far down as allowed) to 1 (as far up), and the reason."""
    wanted = demand(now)
    rest = resting(now.spaces, now.band, turned_away, now.pressure_beside)
    excess = wanted / _demand_at(now.spaces, rest.upper) - 1
    if excess > 0:
        reason = Reason.FULL if now.occupancy >= rest.upper else Reason.BLOCKED
        return min(1.0, excess / WHOLE_EXCESS), reason
    lack = 1 - wanted / _demand_at(now.spaces, rest.lower)
    if lack > 0:
        alone = resting(now.spaces, now.band, turned_away)
        enough = wanted >= _demand_at(now.spaces, alone.lower)
        return -min(1.0, lack / WHOLE_LACK), Reason.BESIDE_FULL if enough else Reason.IDLE
    return 0.0, Reason.IN_BAND


def _demand_at(spaces: int, occupancy: float) -> float:
    """Demand under which a lot is as busy; by the thousandth, so that few are reckoned twice."""
    return load_behind(spaces, round(occupancy, 3)) / spaces


def _clear(now: Situation, need: float) -> bool:
    """Whether the lot, on the side of the need, is outside the watch band."""
    if need > 0:
        return demand(now) > _demand_at(now.spaces, min(_MOST_BUSY, now.band.upper + WATCH_RISE))
    return now.occupancy < now.band.lower - WATCH_FALL


def _on_grid(price: int, share: float, grid: int) -> int:
    """The price moved by at most `share`, but by one mark of the grid where the step allows one."""
    if share > 0:
        return max(price, int(price * (1 + share) + 1e-9) // grid * grid)
    return min(price, -(-int(price * (1 + share) + 1 - 1e-9) // grid) * grid)


def _bounded(wanted: int, reason: Reason, limits: Limits) -> Move:
    after = min(limits.ceiling, max(limits.floor, wanted))
    if after < wanted:
        return Move(after, Reason.AT_CEILING)
    if after > wanted:
        return Move(after, Reason.AT_FLOOR)
    return Move(after, reason)
