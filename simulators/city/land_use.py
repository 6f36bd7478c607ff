"""How lots differ by land use: distance from their place, types, sizes, opening hours.

The figures are estimates of ours for a Chinese city of ten million, not measurements.
"""

from dataclasses import dataclass
from typing import Final

ON_STREET: Final = "on_street"
SURFACE: Final = "surface"
UNDERGROUND: Final = "underground"
MULTI_STOREY: Final = "multi_storey"
OFF_STREET: Final = (SURFACE, UNDERGROUND, MULTI_STOREY)


@dataclass(frozen=True)
class LandUse:
    """The lots that serve one kind of place.

    Attributes:
        spread_m: Standard deviation of a lot's offset from its place, metres, on each axis.
        kinds: Shares of surface, underground and multi-storey lots; they add up to 1.
        size: Factor on the lot's capacity.
        largest: Bays that no lot reaches.
        ev_share: Share of bays with a charger.
        limited_share: Share of lots that are not open round the clock.
        hours: Opening hours, (opens, closes) local, among which those lots choose.
    """

    spread_m: float
    kinds: tuple[float, float, float]
    size: float
    largest: int
    ev_share: float
    limited_share: float
    hours: tuple[tuple[str, str], ...]


LAND_USES: Final[dict[str, LandUse]] = {
    "hospital": LandUse(190, (0.35, 0.45, 0.20), 1.1, 2000, 0.10, 0.00, ()),
    "school": LandUse(260, (0.55, 0.40, 0.05), 0.8, 1000, 0.10, 0.60, (("06:00", "22:30"),)),
    "scenic": LandUse(
        330, (0.75, 0.20, 0.05), 1.0, 2200, 0.08, 0.50, (("06:00", "19:00"), ("05:30", "21:00"))
    ),
    "station": LandUse(230, (0.40, 0.40, 0.20), 1.5, 4000, 0.12, 0.05, (("05:00", "23:30"),)),
    "mall": LandUse(
        210, (0.15, 0.65, 0.20), 1.8, 3600, 0.18, 0.45, (("08:30", "22:30"), ("09:00", "02:00"))
    ),
    "market": LandUse(200, (0.70, 0.20, 0.10), 0.6, 700, 0.07, 0.40, (("04:30", "19:30"),)),
    "office": LandUse(240, (0.25, 0.60, 0.15), 1.1, 2800, 0.16, 0.25, (("06:30", "23:30"),)),
    "hotel": LandUse(160, (0.45, 0.50, 0.05), 0.6, 600, 0.12, 0.00, ()),
    "housing": LandUse(330, (0.40, 0.53, 0.07), 1.0, 1600, 0.12, 0.05, (("18:00", "08:30"),)),
    "industrial": LandUse(420, (0.75, 0.20, 0.05), 1.1, 1800, 0.10, 0.20, (("06:00", "23:00"),)),
    "street": LandUse(0, (1.0, 0.0, 0.0), 1.0, 80, 0.04, 0.08, (("19:00", "07:30"),)),
}
"""By the import format's `land_use`."""

ADDRESS_USES: Final[dict[str, float]] = {
    "housing": 0.44,
    "office": 0.26,
    "hotel": 0.12,
    "market": 0.08,
    "mall": 0.05,
    "hospital": 0.05,
}
"""Shares of land uses among the lots that lie between the named places."""
