"""Bounds on what was fitted, by which the simulated city is like three sets of real car parks.

The moments of a few lots are not those of a city: lots that fill, drivers who go on to near lots
and chance within days add to what levels do, and nine lots of a few bays say little of how lots
spread. With these figures the rows of `make fidelity` hold; docs/city.md has them.
"""

import msgspec

from simulators.demand.parameters import City, LandUse, LandUseName, Level, Parameters, Peak, Wander

_PEAK_TEXT = (
    "assumed: so that lots' means spread, and lots are full, as often as in three sets of real"
    " car parks (docs/city.md)"
)
PEAK = Peak(0.755, 0.27, _PEAK_TEXT)
# Lots that anybody may use fill more, and more alike: at noon the centre is as full as Malaga's.
PUBLIC_PEAK = Peak(0.84, 0.18, _PEAK_TEXT)
PUBLIC: tuple[LandUseName, ...] = ("mall", "market", "office", "hotel")
CITY_SD = 0.075
USE_SD = (0.06, 0.09)
USE_MEMORY = 0.6
LOT_SD = 0.13
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
    uses = {name: _held(name, use) for name, use in parameters.land_uses.items()}
    return msgspec.structs.replace(parameters, city=City(level, text), land_uses=uses)


def _held(name: LandUseName, use: LandUse) -> LandUse:
    least, most = USE_SD
    text = f"sd were {use.level.sd} (use), {use.lot_level.sd} (lot), {use.wander.sd} (wander)"
    return msgspec.structs.replace(
        use,
        peak=PUBLIC_PEAK if name in PUBLIC else PEAK,
        level=Level(min(max(use.level.sd, least), most), USE_MEMORY),
        lot_level=Level(
            min(use.lot_level.sd, LOT_SD),
            min(max(use.lot_level.memory, LOT_MEMORY[0]), LOT_MEMORY[1]),
        ),
        wander=Wander(min(use.wander.sd, WANDER_SD), use.wander.hours),
        from_=use.from_ + _HELD + text,
    )
