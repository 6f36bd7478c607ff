"""Where the lots stand: around named places, along streets, and at addresses between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely

from simulators.city.apportion import apportion
from simulators.city.geodesy import Floats, between, metres_per_degree, offset
from simulators.city.ground import District, Place, Street, load_places, load_streets
from simulators.city.land_use import ADDRESS_USES, LAND_USES

ON_STREET_SHARE: Final = 0.16
ADDRESS_SHARE: Final = 0.34
SPACING_M: Final = 45.0
"""Lots stand at least this far apart where there is room."""
_WEIGHTY: Final = 6.0
"""Weight of a place from which on its lots may be as large as any of their land use."""
_CANDIDATES: Final = 96
_KERB_M: Final = 8.0

SiteKind = Literal["place", "address", "street"]


@dataclass(frozen=True)
class Site:
    """The ground of one lot.

    Attributes:
        district: Its district's code.
        kind: Whether it belongs to a place, has only an address, or is on the street.
        land_use: As in the import format.
        longitude: WGS 84 degrees, 7 decimals; inside the district.
        latitude: WGS 84 degrees, 7 decimals.
        bearing_rad: Direction of its rows of bays, radians anticlockwise from east.
        place: The place that it serves, for kind `place`.
        street: The street that it is named after, for kinds `address` and `street`.
        along_m: Metres from the street's beginning, for the same kinds.
        left: Whether it lies on the left-hand side of the street.
        importance: How many people the place attracts, 0..1; 0.5 at an address.
    """

    district: str
    kind: SiteKind
    land_use: str
    longitude: float
    latitude: float
    bearing_rad: float
    place: Place | None = None
    street: Street | None = None
    along_m: float = 0.0
    left: bool = False
    importance: float = 0.5


class _Plots:
    """Finds room for lots in one district, at a distance from one another."""

    def __init__(self, district: District, taken: Sequence[tuple[float, float]]) -> None:
        self._district = district
        self._east_m_deg, self._north_m_deg = metres_per_degree(district.land.centroid.y)
        self._taken = [self._metres(*point) for point in taken]

    def _metres(self, longitude: float, latitude: float) -> tuple[float, float]:
        return float(longitude * self._east_m_deg), float(latitude * self._north_m_deg)

    def claim(self, longitudes: Floats, latitudes: Floats) -> int | None:
        """Take the first candidate on the district's land that is far enough from others.

        Where none is, the one farthest from others is taken; None if none is on the land.
        """
        on_land = shapely.contains_xy(self._district.inner, longitudes, latitudes)
        if not on_land.any():
            return None
        gaps_m = np.where(on_land, self._gaps_m(longitudes, latitudes), -1.0)
        free = np.flatnonzero(gaps_m >= SPACING_M)
        chosen = int(free[0]) if free.size else int(gaps_m.argmax())
        self._taken.append(self._metres(longitudes[chosen], latitudes[chosen]))
        return chosen

    def _gaps_m(self, longitudes: Floats, latitudes: Floats) -> Floats:
        if not self._taken:
            return np.full(len(longitudes), np.inf)
        taken = np.array(self._taken)
        east_m = longitudes[:, None] * self._east_m_deg - taken[:, 0]
        north_m = latitudes[:, None] * self._north_m_deg - taken[:, 1]
        gaps_m: Floats = np.hypot(east_m, north_m).min(axis=1)
        return gaps_m


def site_lots(
    district: District,
    counts: tuple[int, int, int],
    taken: Sequence[tuple[float, float]],
    rng: np.random.Generator,
) -> list[Site]:
    """Find the ground for a district's lots.

    Args:
        district: Where.
        counts: How many lots at places, at addresses and on the street.
        taken: Longitude and latitude of lots that are there already.
        rng: The only source of chance.

    Returns:
        The sites: first those at places in the places' order, then addresses, then streets.
    """
    plots = _Plots(district, taken)
    places = [place for place in load_places() if place.district == district.adcode]
    streets = [street for street in load_streets() if street.district == district.adcode]
    at_places, at_addresses, on_streets = counts
    quotas = apportion(at_places, [place.weight for place in places])
    return [
        *(
            _beside(place, plots, rng)
            for place, n in zip(places, quotas, strict=True)
            for _ in range(n)
        ),
        *_along(streets, at_addresses, "address", plots, rng),
        *_along(streets, on_streets, "street", plots, rng),
    ]


def _beside(place: Place, plots: _Plots, rng: np.random.Generator) -> Site:
    spread_m = LAND_USES[place.land_use].spread_m
    east_m, north_m = rng.normal(0.0, spread_m, (2, _CANDIDATES))
    # The last resort is the place itself, which lies in its district.
    east_m[-1] = north_m[-1] = 0.0
    longitudes, latitudes = offset(place.longitude, place.latitude, east_m, north_m)
    chosen = plots.claim(longitudes, latitudes)
    at = -1 if chosen is None else chosen
    return Site(
        district=place.district,
        kind="place",
        land_use=place.land_use,
        longitude=float(longitudes[at]),
        latitude=float(latitudes[at]),
        bearing_rad=float(rng.uniform(0.0, np.pi)),
        place=place,
        importance=min(1.0, max(0.25, place.weight / _WEIGHTY)),
    )


def _length_m(street: Street) -> tuple[float, float]:
    """Metres east and north from a street's beginning to its end."""
    east_m, north_m = between(
        street.from_longitude,
        street.from_latitude,
        np.asarray(street.to_longitude),
        np.asarray(street.to_latitude),
    )
    return float(east_m), float(north_m)


def _along(
    streets: Sequence[Street],
    count: int,
    kind: Literal["address", "street"],
    plots: _Plots,
    rng: np.random.Generator,
) -> list[Site]:
    lengths_m = [float(np.hypot(*_length_m(street))) for street in streets]
    return [
        _beside_street(street, _candidates(i, n, rng), kind, plots, rng)
        for street, n in zip(streets, apportion(count, lengths_m), strict=True)
        for i in range(n)
    ]


def _candidates(part: int, parts: int, rng: np.random.Generator) -> Floats:
    """Fractions of a street's length around the middle of one of its equal parts, wider later."""
    reach = np.linspace(0.2, 0.5, _CANDIDATES) / parts
    fractions = (part + 0.5) / parts + rng.uniform(-1.0, 1.0, _CANDIDATES) * reach
    return np.clip(fractions, 0.02, 0.98)


def _beside_street(
    street: Street,
    along: Floats,
    kind: Literal["address", "street"],
    plots: _Plots,
    rng: np.random.Generator,
) -> Site:
    east_m, north_m = _length_m(street)
    length_m = float(np.hypot(east_m, north_m))
    left = rng.random(_CANDIDATES) < 0.5  # noqa: PLR2004 - either side alike
    side = np.where(left, 1.0, -1.0)
    on_street = kind == "street"
    aside_m = side * (_KERB_M if on_street else rng.uniform(40.0, 320.0, _CANDIDATES))
    # The left-hand normal of (east, north) is (-north, east).
    longitudes, latitudes = offset(
        street.from_longitude,
        street.from_latitude,
        along * east_m - aside_m * north_m / length_m,
        along * north_m + aside_m * east_m / length_m,
    )
    chosen = plots.claim(longitudes, latitudes)
    if chosen is None:
        raise ValueError(f"no land beside {street.name_en} in district {street.district}")
    return Site(
        district=street.district,
        kind=kind,
        land_use="street" if on_street else _address_use(rng),
        longitude=float(longitudes[chosen]),
        latitude=float(latitudes[chosen]),
        bearing_rad=float(np.arctan2(north_m, east_m)),
        street=street,
        along_m=float(along[chosen]) * length_m,
        left=bool(left[chosen]),
        importance=1.0 if on_street else 0.5,
    )


def _address_use(rng: np.random.Generator) -> str:
    return str(rng.choice(list(ADDRESS_USES), p=list(ADDRESS_USES.values())))
