"""The coordinates of Chinese maps, against published pairs of places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from parking_api.coordinates import gcj02_to_bd09, to_wgs84, wgs84_to_gcj02

GEOD = Geod(ellps="WGS84")
# Longitude and latitude, WGS 84 and GCJ-02: the test points of github.com/googollee/eviltransform.
GCJ02 = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]
# The same in GCJ-02 and BD-09, from those who test against github.com/wandergis/coordtransform.
BD09 = [
    ((116.404, 39.915), (116.41036949371029, 39.92133699351021)),
    ((121.09626935575027, 30.608604331756705), (121.10271732371203, 30.61484572185035)),
]
longitudes = st.floats(73.5, 134.5)
latitudes = st.floats(18.0, 53.5)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(GEOD.inv(*one, *other)[2])


@pytest.mark.parametrize(("wgs84", "gcj02"), GCJ02)
def test_gcj02_is_the_published(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-9)
    assert metres(to_wgs84(*gcj02, "gcj02"), wgs84) < 0.001


@pytest.mark.parametrize(("gcj02", "bd09"), BD09)
def test_bd09_is_the_published(gcj02: tuple[float, float], bd09: tuple[float, float]) -> None:
    assert gcj02_to_bd09(*gcj02) == pytest.approx(bd09, abs=1e-9)
    assert metres(to_wgs84(*bd09, "bd09"), to_wgs84(*gcj02, "gcj02")) < 0.001


@given(longitudes, latitudes)
def test_gcj02_and_back_is_within_a_centimetre(longitude: float, latitude: float) -> None:
    place = (longitude, latitude)

    assert metres(to_wgs84(*wgs84_to_gcj02(*place), "gcj02"), place) < 0.01
    assert metres(wgs84_to_gcj02(*to_wgs84(*place, "gcj02")), place) < 0.01


@given(longitudes, latitudes)
def test_bd09_and_back_is_within_a_centimetre(longitude: float, latitude: float) -> None:
    place = (longitude, latitude)
    shifted = gcj02_to_bd09(*wgs84_to_gcj02(*place))

    assert metres(to_wgs84(*shifted, "bd09"), place) < 0.01
    assert 300 < metres(shifted, place) < 3000


@pytest.mark.parametrize("place", [(-4.42, 36.72), (139.7, 35.7), (0.1, 0.1), (151.2, -33.9)])
def test_outside_china_gcj02_is_wgs84(place: tuple[float, float]) -> None:
    assert to_wgs84(*place, "gcj02") == place


def test_wgs84_stays_as_it_is() -> None:
    assert to_wgs84(120.38, 36.07, "wgs84") == (120.38, 36.07)
