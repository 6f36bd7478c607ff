"""The two rules by which a review moves a price; plain numbers in, the new price out.

SFpark's is that of San Francisco's pilot of 2011 to 2013 with the thresholds and the step that the
city of this platform compares against. Ours

- looks at how long a lot is full, as drivers are turned away then and at no other time. The mean
  occupancy does not say it: a lot that is full at noon is half empty at five, and how much its days
  and hours differ is each lot's own;
- knows the lot's size: a lot of 100 spaces that is full for 5 % of the time turns about as many
  drivers away as one of 200 that is full for 2.5 %, and for so long it lets them be full;
- makes a lot dearer that is full for longer, unless it is half empty otherwise, and one whose mean
  occupancy lies above its target band, which knows its size too;
- makes a lot cheaper that has room in its band, but only where it is full for less than a quarter
  as long as it may be: between the two, prices rest, so that chance moves few of them;
- turns round only where the need is plain;
- moves prices in proportion to the need, down more slowly than up: what a fall brings is seen at
  the next review only.

The constants were chosen in `load_tests.closed_loop`, in a city whose days and hours differ; what
they are worth, on seeds that were not used to choose them, is in docs/bureau.md.
"""

from enum import StrEnum
from math import log
from typing import Final, NamedTuple

from pricing.mechanism.erlang import blocked_share, busy_share, load_behind

SFPARK_FULL: Final = 0.80
SFPARK_IDLE: Final = 0.60
SFPARK_SMALL_PRICE_MINOR: Final = 200
UPPER_FROM: Final = 0.70
UPPER_TO: Final = 0.90
BAND_WIDTH: Final = 0.20
MOST_UP: Final = 0.20
MOST_DOWN: Final = 0.12
# Arrivals that may be turned away, of as many as the lot has spaces.
TURNED_AWAY: Final = 5.0
# A lot is full for too long: by so many times, and its price rises by as much as it may.
WHOLE_PRESSURE: Final = 4.0
# Full for less than this share of the time that it may be, a lot may become cheaper.
CALM: Final = 0.25
# Occupancies, by their distance from the band's ends. Where its mean lies less than this above the
# lower end, a lot that is full now and then does not become dearer.
BUSY_FROM: Final = 0.10
# Prices rest this far below the upper end.
REST_WIDTH: Final = 0.05
# Occupancy above the upper end, and below where prices rest, at which a step is as large as it may.
WHOLE_EXCESS: Final = 0.05
WHOLE_LACK: Final = 0.20
# A price that fell last rises only where the lot is full for so many times as long as it may be, or
# so far above the band; one that rose last falls only this far below the band.
WATCH_PRESSURE: Final = 8.0
WATCH_RISE: Final = 0.05
WATCH_FALL: Final = 0.25
_MOST_PRESSURE: Final = 0.50
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
    # Of no review since prices look at the time that lots are full; older ones have it.
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
        pressure: share of the time without a free space, 0..1; None where not measured.
    """

    price: int
    direction: int
    occupancy: float
    spaces: int
    band: Band
    pressure: float | None = None


class Move(NamedTuple):
    """A price as it will be, and why."""

    price: int
    reason: Reason


class Steps(NamedTuple):
    """How ours moves a price: at most `up` or `down` of it, 0..1, towards its aim.

    Attributes:
        turned_away: arrivals that may be turned away, of as many as the lot has spaces.
    """

    up: float = MOST_UP
    down: float = MOST_DOWN
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

    A change of direction waits until the need is plain.
    """
    need, reason = _need(now, longest_full(now.spaces, steps.turned_away))
    if need * now.direction < 0 and not _plain(now, need, steps):
        return _bounded(now.price, Reason.WATCH, limits)
    wanted = _on_grid(now.price, need * (steps.up if need > 0 else steps.down), limits.grid)
    if need and wanted == now.price:
        return _bounded(wanted, Reason.GRID, limits)
    return _bounded(wanted, reason, limits)


def longest_full(spaces: int, turned_away: float = TURNED_AWAY) -> float:
    """Share of the time for which every space may be taken, 0..1; a larger share makes dearer.

    As Poisson arrivals see time averages (Wolff, 1982), it is the share of arrivals turned away.

    Raises:
        ValueError: no spaces, or nobody to be turned away.
    """
    if spaces < 1 or not turned_away > 0:
        raise ValueError("needs a space, and somebody to be turned away")
    return min(_MOST_PRESSURE, turned_away / spaces)


def resting(band: Band) -> Band:
    """Mean occupancies at which ours lets a price rest, of a lot that is not full for too long.

    Of one that is full for more than CALM of the time that it may be, it rests below as well.
    """
    # In a narrow band it is the upper half, so that there is always something below.
    return Band(band.upper - min(REST_WIDTH, (band.upper - band.lower) / 2), band.upper)


def pressure(now: Situation) -> float:
    """Share of the time without a free space, 0..1; Erlang's where it was not measured."""
    if now.pressure is not None:
        return now.pressure
    busy = min(_MOST_BUSY, max(0.0, now.occupancy))
    return blocked_share(now.spaces, load_behind(now.spaces, busy))


def _need(now: Situation, longest: float) -> tuple[float, Reason]:
    """From -1 (as far down as allowed) to 1 (as far up), and the reason."""
    full, rest = pressure(now), resting(now.band)
    crowded = min(1.0, (now.occupancy - rest.upper) / WHOLE_EXCESS)
    busy_from = min(rest.lower, now.band.lower + BUSY_FROM)
    blocked = 0.0
    if full > longest and now.occupancy >= busy_from:
        blocked = min(1.0, log(full / longest) / log(WHOLE_PRESSURE))
    if max(blocked, crowded) > 0:
        return (crowded, Reason.FULL) if crowded > blocked else (blocked, Reason.BLOCKED)
    if now.occupancy < rest.lower and full < CALM * longest:
        return -min(1.0, (rest.lower - now.occupancy) / WHOLE_LACK), Reason.IDLE
    return 0.0, Reason.IN_BAND


def _plain(now: Situation, need: float, steps: Steps) -> bool:
    """Whether the need is beyond what chance makes of a price that is right."""
    if need < 0:
        return now.occupancy < now.band.lower - WATCH_FALL
    plenty = WATCH_PRESSURE * longest_full(now.spaces, steps.turned_away)
    return pressure(now) > plenty or now.occupancy > now.band.upper + WATCH_RISE


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
