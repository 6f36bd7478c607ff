"""The bays in memory, as COPY gives them; how far from their lots they lie."""

import numpy as np
import pytest

from parking_api.city import bays as city_bays
from parking_api.city import queries
from parking_api.city.bays import Bays, read_bays
from parking_api.city.distances import WGS_84
from sql.engine import Db, transaction
from tests.parking_api.builders import Builder

NUMBERS = 7


async def test_bays_are_the_same_in_parts_of_any_size(
    db: Db, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lot_id, bays in (("a", 3), ("b", 900)):
        await built.lot(lot_id, capacity=bays, reporting="bays")
        await built.bays(lot_id, *((120 + n / 1e5, 36.0, "ev") for n in range(bays)))
    text = queries.statement.text("all_bays")
    found = []
    for parts in (1, 1000):
        monkeypatch.setattr(city_bays, "_PARTS", parts)
        async with transaction(db) as snapshot:
            found.append(await read_bays(snapshot, text, 2))
    assert found[0].starts.tolist() == [0, 3, 903]
    assert found[0].numbers.tolist() == [1, 2, 3, *range(1, 901)]
    for name in ("starts", "numbers", "levels", "classes", "lons", "lats"):
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name))


@pytest.mark.parametrize("spread", [1e-6, 0.002, 0.3])
@pytest.mark.parametrize(
    ("lon", "lat"), [(120.38, 36.06), (180.0, -17.0), (25.0, 79.9), (0.0, 90.0), (10.0, 0.0)]
)
def test_no_bay_lies_farther_than_the_spread(lon: float, lat: float, spread: float) -> None:
    dice, lots = np.random.default_rng(1), 600
    lons, lats = np.full(lots, lon), np.full(lots, lat)
    # Every third lot has none.
    counts = np.where(np.arange(lots) % 3, NUMBERS, 0)
    size = int(counts.sum())
    bays = Bays(
        starts=np.concatenate([[0], counts.cumsum()]),
        numbers=np.ones(size, dtype=np.int32),
        levels=np.zeros(size, dtype=np.int16),
        classes=np.zeros(size, dtype=np.int16),
        lons=(lon + dice.uniform(-spread, spread, size) + 180) % 360 - 180,
        lats=np.minimum(lat + dice.uniform(-spread, spread, size), 90),
    )
    found_m = bays.spreads_m(lons, lats)
    far_m = WGS_84.inv(np.full(size, lon), np.full(size, lat), bays.lons, bays.lats)[2]
    farthest_m = far_m.reshape(-1, NUMBERS).max(axis=1)
    assert (found_m[counts == 0] < 0.01).all()
    assert (found_m[counts > 0] >= farthest_m).all()
    if abs(lat) < 80 and spread < 0.1:
        assert (found_m[counts > 0] <= 1.02 * farthest_m + 0.002).all()
