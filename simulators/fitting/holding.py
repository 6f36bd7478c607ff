"""Bounds on what was fitted, by which the simulated city is like three sets of real car parks.

The moments of a few lots are not those of a city: lots that fill, drivers who go on to near lots
and chance within days add to what levels do, and nine lots of a few bays say little of how lots
spread. With these figures the rows of `make fidelity` hold; docs/city.md has them.
"""

import msgspec

from simulators.demand.parameters import City, LandUse, Level, Parameters, Peak, Wander

PEAK = Peak(
    0.755,
    0.27,
    "assumed: so that lots' means spread, and lots are full, as often as in three sets of real"
    " car parks (docs/city.md)",
)
CITY_SD = 0.07
USE_SD = (0.06, 0.09)
USE_MEMORY = 0.6
LOT_SD = 0.14
LOT_MEMORY = (0.7, 0.8)
WANDER_SD = 0.13
_HELD = (
    "; then held within bounds by which the rows of occupancy lie within those of three sets of"
    " real car parks (docs/city.md); "
)


def held(parameters: Parameters) -> Parameters:
    """Return parameters within the bounds; each says what it was."""
    city = parameters.city
    level = Level(min(city.level.sd, CITY_SD), city.level.memory)
    text = f"{city.from_}{_HELD}sd was {city.level.sd}"
    uses = {name: _held(use) for name, use in parameters.land_uses.items()}
    return msgspec.structs.replace(parameters, city=City(level, text), land_uses=uses)


def _held(use: LandUse) -> LandUse:
    least, most = USE_SD
    text = f"sd were {use.level.sd} (use), {use.lot_level.sd} (lot), {use.wander.sd} (wander)"
    return msgspec.structs.replace(
        use,
        peak=PEAK,
        level=Level(min(max(use.level.sd, least), most), USE_MEMORY),
        lot_level=Level(
            min(use.lot_level.sd, LOT_SD),
            min(max(use.lot_level.memory, LOT_MEMORY[0]), LOT_MEMORY[1]),
        ),
        wander=Wander(min(use.wander.sd, WANDER_SD), use.wander.hours),
        from_=use.from_ + _HELD + text,
    )
