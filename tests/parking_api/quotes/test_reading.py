"""The tariffs of many lots are read page by page."""

import pytest

from parking_api.quotes import prices
from sql.engine import Db, transaction
from tests.parking_api.builders import Builder


async def test_lots_in_the_same_situation_share_it(
    db: Db, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices, "_LOTS_A_PAGE", 2)
    kinds = {"a": "surface", "b": "on_street", "c": "surface", "d": "surface", "e": "on_street"}
    for lot_id, kind in kinds.items():
        await built.lot(lot_id, lot_type=kind)
    async with transaction(db) as within:
        found = await prices.read_situations(within)
    assert {lot_id: each.lot_type for lot_id, each in found.items()} == kinds
    assert found["a"] is found["c"] is found["d"]
