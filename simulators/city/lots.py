"""The lots of the city, complete."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.city.land_use import LAND_USES, MULTI_STOREY, UNDERGROUND

REPORT_INTERVAL_S: Final = {"bays": 120, "count": 60}
"""The longest silence of a lot, by how it reports: its gateway repeats itself before that."""
TIMEZONE: Final = "Asia/Shanghai"
BAYS_SHARE: Final = 0.70
"""Share of the lots that sense each bay; the others count at their gates."""


@dataclass(frozen=True)
class Lot:
    """A lot as in the import format, and how its rows of bays run.

    Attributes:
        lot_id: District code and serial.
        operator_id: Who runs it.
        gateway_id: The device that reports for it.
        district: Its district's code.
        name_zh: Chinese name.
        name_en: English name.
        lot_type: on_street, surface, underground or multi_storey.
        land_use: What it serves.
        reporting: bays or count.
        capacity: Number of bays.
        levels: Number of levels.
        height_limit_m: Highest vehicle, metres; None where there is no roof.
        hours: Local opening and closing time, HH:MM; None if it is open round the clock.
        longitude: WGS 84 degrees.
        latitude: WGS 84 degrees.
        bearing_rad: Direction of the rows, radians anticlockwise from east.
    """

    lot_id: str
    operator_id: str
    gateway_id: str
    district: str
    name_zh: str
    name_en: str
    lot_type: str
    land_use: str
    reporting: str
    capacity: int
    levels: int
    height_limit_m: float | None
    hours: tuple[str, str] | None
    longitude: float
    latitude: float
    bearing_rad: float


def fit_out(
    lot_type: str, land_use: str, rng: np.random.Generator
) -> tuple[float | None, tuple[str, str] | None]:
    """Draw the height limit and the opening hours of a lot; see `Lot`.

    Args:
        lot_type: As in the import format.
        land_use: As in the import format.
        rng: The only source of chance; four draws, whatever comes out.
    """
    low, high, limited, which = rng.random(4)
    use = LAND_USES[land_use]
    hours = use.hours[int(which * len(use.hours))] if limited < use.limited_share else None
    height_limit_m = None
    if lot_type == UNDERGROUND:
        height_limit_m = round(2.0 + int(low * 5) / 10, 1)
    elif lot_type == MULTI_STOREY:
        height_limit_m = round(2.1 + int(high * 6) / 10, 1)
    return height_limit_m, hours
