"""The two rules by which a review moves a price; plain numbers in, the new price out.

SFpark's is that of San Francisco's pilot of 2011 to 2013 with the thresholds and the step that the
city of this platform compares against. Ours knows the lot's size, moves in proportion to the
distance from its band, and measures pressure as the share of arrivals that find the lot full.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from pricing.erlang import BLOCKING, busy_share

SFPARK_FULL: Final = 0.80
SFPARK_IDLE: Final = 0.60
SFPARK_SMALL_PRICE_MINOR: Final = 200
UPPER_FROM: Final = 0.70
UPPER_TO: Final = 0.90
BAND_WIDTH: Final = 0.20
WATCH: Final = 0.05
MOST_STEP: Final = 0.25
# Prices go on until occupancy is this far inside the band, lest chance carry it out again.
MARGIN: Final = 0.02
# Distance in occupancy, and excess of blocked arrivals, at which a step is as large as it may be.
WHOLE_DISTANCE: Final = 0.10
WHOLE_PRESSURE: Final = 0.10
PRESSURE_BESIDE: Final = 0.10


class Rule(StrEnum):
    """Which rule a mechanism follows."""

    SFPARK = "sfpark"
    SIZE_AWARE = "size_aware"


class Reason(StrEnum):
    """Why a price moves, or why it is held."""

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
        band: of the target.
        pressure: share of arrivals blocked, 0..1; None where not measured. As Poisson arrivals see
            time averages (Wolff, 1982), the share of time without a free space stands for it.
        pressure_beside: the greatest among the neighbouring lots, likewise.
    """

    price: int
    direction: int
    occupancy: float
    band: Band
    pressure: float | None = None
    pressure_beside: float | None = None


class Move(NamedTuple):
    """A price as it will be, and why."""

    price: int
    reason: Reason


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


def size_aware(now: Situation, limits: Limits, up: float, down: float) -> Move:
    """A step in proportion to the need, at most `up` or `down` of the price (0..1), on the grid.

    A change of direction waits until occupancy is clear of the band by five points.
    """
    need, reason = _need(now)
    if need * now.direction < 0 and not _clear(now, need):
        return _bounded(now.price, Reason.WATCH, limits)
    wanted = _on_grid(now.price, need * (up if need > 0 else down), limits.grid)
    if need and wanted == now.price:
        return _bounded(wanted, Reason.GRID, limits)
    return _bounded(wanted, reason, limits)


def _need(now: Situation) -> tuple[float, Reason]:
    """From -1 (as far down as allowed) to 1 (as far up), and the reason."""
    over = (now.occupancy - now.band.upper + MARGIN) / WHOLE_DISTANCE
    excess = (now.pressure - BLOCKING) / WHOLE_PRESSURE if now.pressure is not None else 0.0
    if max(over, excess) > 0:
        return min(1.0, max(over, excess)), Reason.FULL if over >= excess else Reason.BLOCKED
    under = (now.band.lower - now.occupancy + MARGIN) / WHOLE_DISTANCE
    if under > 0:
        return -min(1.0, under), Reason.IDLE
    return _beside(now)


def _beside(now: Situation) -> tuple[float, Reason]:
    """Room in the lower half of the band is offered to those whom a neighbour turns away."""
    middle = (now.band.lower + now.band.upper) / 2
    turned_away = now.pressure_beside is not None and now.pressure_beside > PRESSURE_BESIDE
    if turned_away and now.occupancy < middle:
        return -(middle - now.occupancy) / BAND_WIDTH, Reason.BESIDE_FULL
    return 0.0, Reason.IN_BAND


def _clear(now: Situation, need: float) -> bool:
    """Whether occupancy itself, on the side of the need, is outside the watch band."""
    if need > 0:
        return now.occupancy > now.band.upper + WATCH
    return now.occupancy < now.band.lower - WATCH


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
