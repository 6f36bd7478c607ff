"""The parameters of demand out of stays and occupancy."""

import math
from collections.abc import Sequence
from pathlib import PurePath

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulators.demand.parameters import (
    LAND_USES,
    Arrivals,
    City,
    Component,
    LandUse,
    LandUseName,
    Level,
    Parameters,
    Stays,
    Wander,
)
from simulators.fitting.holding import held
from simulators.fitting.levels import DayLevel, Levels, LotDays, day_levels, wander
from simulators.fitting.mixtures import Mixture, Sample, fit_mixture
from simulators.fitting.occupancy import Occupancy, together
from simulators.fitting.reading import Facts
from simulators.fitting.shapes import Week, counted, told_by_occupancy
from simulators.fitting.stays import DAY_S, StayLot

FloatArray = NDArray[np.float64]

# Public car parks of a centre, whose land use nobody tells, are taken for those of offices: those
# who work there, and those who have something to do there.
CENTRE: LandUseName = "office"


def fit(facts: Facts, base: Parameters) -> Parameters:
    """Return parameters fitted to what was measured, within bounds; the rest is that of `base`.

    Raises:
        ValueError: a lot recorded no day of a kind.
    """
    public = [together(occupancy) for occupancy in facts.occupancy]
    levels = day_levels([*map(_stay_days, facts.stays), *_occupancy_days(public)])
    wandering = [wander(occupancy.shares, occupancy.start_s) for occupancy in public]
    uses: dict[LandUseName, LandUse] = {}
    for name in LAND_USES:
        use = base.land_uses[name]
        lots = [lot for lot in facts.stays if lot.land_use == name]
        if lots:
            use = msgspec.structs.replace(use, arrivals=_arrivals(lots), stays=_stays(lots))
        elif name == CENTRE and public:
            use = msgspec.structs.replace(use, arrivals=_centre_arrivals(public, use.stays))
        uses[name] = _levelled(use, name, levels, wandering)
    city = City(_level(levels.city), f"fitted: {_of(facts.stays, public)}")
    kept = [one for one in base.sources if one.name not in {new.name for new in facts.sources}]
    return held(Parameters([*facts.sources, *kept], city, uses))


def _of(stays: Sequence[StayLot], public: Sequence[Occupancy]) -> str:
    """Return what was measured, in words."""
    parks = sum(len(occupancy.lots) for occupancy in public)
    return f"daily arrivals of {len(stays)} lots, daily means of {parks} car parks"


def _arrivals(lots: Sequence[StayLot]) -> Arrivals:
    days = sum(len(lot.usual) for lot in lots)
    return _as_arrivals(counted(lots), f"fitted: {_lots(lots)}, {days} days; each counts alike")


def _centre_arrivals(public: Sequence[Occupancy], stays: Stays) -> Arrivals:
    """Return arrivals that fit the first file's occupancy; files are of different seasons."""
    one = public[0]
    week = told_by_occupancy(one.shares, one.start_s, stays)
    file = PurePath(one.file).name
    text = f"fitted: with these stays, to the occupancy of {len(one.lots)} car parks in {file}"
    return _as_arrivals(week, text)


def _as_arrivals(week: Week, text: str) -> Arrivals:
    workday, saturday, sunday = (tuple(round(float(value), 4) for value in day) for day in week)
    return Arrivals(workday=workday, saturday=saturday, sunday=sunday, from_=text)


def _stays(lots: Sequence[StayLot]) -> Stays:
    found = fit_mixture([Sample(lot.hours, lot.minutes) for lot in lots])
    number = sum(len(lot.minutes) for lot in lots)
    alone = "; one lot: in-sample only" if len(lots) == 1 else "; each counts alike"
    return as_stays(found, f"fitted: {_lots(lots)}, {number} stays{alone}")


def as_stays(found: Mixture, text: str) -> Stays:
    """Return a mixture as it is written."""
    components = [
        Component(round(math.exp(log_min), 2), round(float(sigma), 4))
        for log_min, sigma in zip(found.log_median_min, found.sigma, strict=True)
    ]
    weights = [[round(float(weight), 4) for weight in row] for row in found.weights]
    return Stays(components, weights, text)


def _levelled(
    use: LandUse, name: str, levels: Levels, wandering: Sequence[tuple[float, float]]
) -> LandUse:
    """Return a land use with the levels of its own lots, or of the middle one of all."""
    shared = levels.groups.get(name)
    own = levels.lots.get(name)
    told = [
        "use's level fitted" if shared else "no level of the use: it has not two lots",
        "lots' own level fitted" if own else "lots' own level as that of the middle lot of all",
        "wander as that of public car parks" if wandering else "wander kept",
    ]
    sd, hours = np.mean(wandering, axis=0) if wandering else (use.wander.sd, use.wander.hours)
    return msgspec.structs.replace(
        use,
        level=_level(shared or DayLevel(0.0, 0.0)),
        lot_level=_level(own or levels.lot),
        wander=Wander(round(float(sd), 4), round(float(hours), 2)),
        from_="fitted: " + "; ".join(told) if own or shared else "assumed: " + "; ".join(told),
    )


def _level(level: DayLevel) -> Level:
    return Level(round(level.sd, 4), round(level.memory, 3))


def _stay_days(lot: StayLot) -> LotDays:
    """Return a lot's arrivals by day. A day without any has no logarithm."""
    daily = lot.daily()
    came = daily > 0
    return LotDays(lot.land_use, lot.days[came], np.log(daily[came]), float(1 / daily[came].mean()))


def _occupancy_days(public: Sequence[Occupancy]) -> list[LotDays]:
    """Return the daily means of car parks; each is a group of its own, its use being unknown."""
    found = []
    for one in public:
        for lot, means in zip(one.lots, one.daily(), strict=True):
            known = np.flatnonzero(means > 0)
            if len(known):
                day = int(one.start_s // DAY_S) + known
                found.append(LotDays(f"{one.file} {lot}", day, np.log(means[known]), 0.0))
    return found


def _lots(lots: Sequence[StayLot]) -> str:
    return ", ".join(PurePath(lot.file).name for lot in lots)
