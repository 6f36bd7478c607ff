"""Exact distances are pyproj's as PostGIS rounds them; the plane is off by no more than it says."""

import asyncpg
import numpy as np
import pytest
from pyproj import Geod

from parking_api.city.distances import (
    PLANE_LATITUDE,
    PLANE_REACH_M,
    WGS_84,
    Plane,
    distances_m,
    squared,
)

PLACES = 1000
AROUND = 1000


def test_the_plane_on_a_million_pairs() -> None:
    """As many pairs at a centimetre as at fifty kilometres, near ties among them."""
    dice = np.random.default_rng(9)
    for lat in dice.uniform(-PLANE_LATITUDE, PLANE_LATITUDE, PLACES).tolist():
        half_height = float(dice.choice([0.015, 0.06, 0.36]))
        plane = Plane(lat, half_height)
        lats = np.full(AROUND, lat) + dice.uniform(-half_height, half_height, AROUND)
        far_m = np.geomspace(0.01, PLANE_REACH_M, AROUND)
        far_lons, far_lats, _ = WGS_84.fwd(
            np.zeros(AROUND), lats, dice.uniform(0, 360, AROUND), far_m
        )
        within = np.abs(far_lats - lat) <= half_height
        found_m = np.sqrt(
            squared(far_lons * plane.metres_per_lon, (far_lats - lats) * plane.metres_per_lat)
        )[within]
        wider = 1 + plane.error
        assert (found_m <= far_m[within] * wider).all(), lat
        assert (far_m[within] <= found_m * wider).all(), lat


def test_pyproj_gives_what_its_public_function_gives() -> None:
    dice = np.random.default_rng(4)
    lons, lats = dice.uniform(-180, 180, 10_000), dice.uniform(-90, 90, 10_000)
    kept = lons.copy()
    here = np.full(10_000, 120.38), np.full(10_000, 36.06)
    expected = np.rint(Geod(ellps="WGS84").inv(*here, lons, lats)[2] * 1e8) / 1e8
    assert (distances_m(120.38, 36.06, lons, lats) == expected).all()
    assert (lons == kept).all()


@pytest.mark.parametrize("lat", [-90.0, -36.06, 0.0, 36.06, 89.99])
async def test_distances_are_those_of_postgis(owner_url: str, lat: float) -> None:
    dice = np.random.default_rng(3)
    lons, lats = dice.uniform(-180, 180, 500), dice.uniform(-90, 90, 500)
    # Near ties, and the place itself.
    lons[:200], lats[:200] = 120.38 + dice.normal(0, 1e-7, 200), lat
    lons[0], lats[0] = 120.38, lat
    found = distances_m(120.38, lat, lons, lats)

    connection = await asyncpg.connect(owner_url)
    rows = await connection.fetch(
        """
        SELECT st_distance(st_point($1, $2, 4326)::geography, st_point(lon, lat, 4326)::geography)
        FROM unnest($3::float8[], $4::float8[]) WITH ORDINALITY AS p (lon, lat, number)
        ORDER BY number
        """,
        120.38,
        lat,
        lons.tolist(),
        lats.tolist(),
    )
    await connection.close()
    assert found[0] == 0
    # Two releases of one algorithm, each within some nanometres of the truth: one step of 10 nm.
    assert found.tolist() == pytest.approx([row[0] for row in rows], abs=1.5e-8, rel=0)
