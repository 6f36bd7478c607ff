"""A city that tells its changes."""

from collections.abc import AsyncIterator

import pytest

from parking_api.city.following import FollowedCity
from parking_api.lots import streaming
from tests.parking_api.builders import Builder
from tests.parking_api.city.loading import pooled
from tests.parking_api.lots.telling import Told


@pytest.fixture
async def told(
    database_url: str, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Told]:
    """Lots a and b in the box and c outside; readers look all the time."""
    monkeypatch.setattr(streaming, "EVERY_S", 0.001)
    monkeypatch.setattr(streaming, "COLUMNS_EVERY_S", 0.001)
    await built.lot("a", 120.38, 36.06, timezone="UTC")
    await built.lot("b", 120.3, 36.1)
    await built.lot("c", 120.6, 36.06)
    await built.report("a", 3)
    async with pooled(database_url) as database:
        city = FollowedCity(database)
        await city.read()
        yield Told(city, built)
