"""How often sensors, gates, clocks and links fail, by profile.

Sources of the rates; what has none is an assumption of ours and says so.

- Camera sensors show more than 98 % of bays rightly, 98.7 % in an example: SONAH, "The Art of
  Precision" (sonah.tech, a vendor).
- Magnetic sensors outdoors came to 90 % only, for electromagnetic interference: "Toward an easy
  deployable outdoor parking system: Lessons from long-term deployment" (abstract).
- Loops at gates, well kept, count 98 to 99.5 % of the cars: barriergatesystems.com, "Barrier gate
  traffic counter integration"; cameras at gates 95 to 98 %: parkingequipmentguide.com, "Parking
  occupancy counting systems". The errors of gates add up until somebody counts anew.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ClockFault:
    """A kind of wrong clock.

    Attributes:
        share: of gateways that have it at a time.
        least_s: the clock's reading less the true time, at least.
        most_s: likewise, at most; drawn evenly between the two.
    """

    share: float
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Rates of faults; shares are from 0 to 1.

    Attributes:
        missed: of arrivals and departures that a bay's sensor does not notice; its state is wrong
            until the next one that it does.
        doubled: of arrivals that the sensor of the next bay takes for a car of its own.
        flipped: of the time in which a sensor shows the opposite, for FLIPPED_MIN at a time.
        dead: of sensors that say nothing, until they are replaced after DEAD_MIN: their gateway
            reports such a bay as unknown.
        frozen: of sensors that say for FROZEN_MIN what they said before.
        gate_missed: of cars that a gate does not count.
        gate_doubled: of cars that a gate counts twice.
        recounted: of nights in which somebody puts the count of a lot right.
        clocks: what clocks of gateways are wrong by; those of the others are right.
        outages_an_hour: of hours in which a gateway loses its connection.
        outage_s: mean length of that.
    """

    missed: float = 0.0
    doubled: float = 0.0
    flipped: float = 0.0
    dead: float = 0.0
    frozen: float = 0.0
    gate_missed: float = 0.0
    gate_doubled: float = 0.0
    recounted: float = 1.0
    clocks: tuple[ClockFault, ...] = ()
    outages_an_hour: float = 0.0
    outage_s: float = 60.0


# Minutes. Assumptions: interference passes; an operator replaces or resets a sensor after a while.
FLIPPED_MIN: Final = 10
DEAD_MIN: Final = 14 * 24 * 60
FROZEN_MIN: Final = 24 * 60

CLEAN: Final = Profile()
# Wrong bays in all some 1.5 %, as with SONAH's sensors; gates miss or double 1 % of cars, the
# middle of loops that are well kept. How that is split up, dead sensors, clocks and outages are
# assumptions.
NORMAL: Final = Profile(
    missed=0.01,
    doubled=0.004,
    flipped=0.002,
    dead=0.005,
    frozen=0.003,
    gate_missed=0.006,
    gate_doubled=0.004,
    clocks=(ClockFault(0.04, -20.0, 20.0), ClockFault(0.01, -60.0, -20.0)),
    outages_an_hour=0.02,
    outage_s=120.0,
)
# Wrong bays in all some 10 %, as with magnetic sensors outdoors; gates 5 %, the worst of cameras.
# The rest is assumed: one clock in fifty is farther ahead than the platform accepts.
BAD: Final = Profile(
    missed=0.06,
    doubled=0.03,
    flipped=0.01,
    dead=0.04,
    frozen=0.03,
    gate_missed=0.03,
    gate_doubled=0.02,
    recounted=0.3,
    clocks=(
        ClockFault(0.10, -120.0, 240.0),
        ClockFault(0.04, -1_800.0, -120.0),
        ClockFault(0.02, 330.0, 3_600.0),
    ),
    outages_an_hour=0.2,
    outage_s=600.0,
)
PROFILES: Final[dict[str, Profile]] = {"clean": CLEAN, "normal": NORMAL, "bad": BAD}
