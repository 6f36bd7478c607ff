"""/v1/lots/{lot_id}/spaces?f=bits: the states of a lot's bays as bitmaps."""

from base64 import b64decode
from typing import Any

import httpx
import pytest

from parking_api.spaces.models import SpaceBits
from tests.parking_api.builders import Builder
from tests.parking_api.serving import get, refused

SOURCES = ("memory", "database")


async def bits(api: httpx.AsyncClient, lot_id: str, **parameters: Any) -> dict[str, Any]:
    told: dict[str, Any] = await get(api, f"/v1/lots/{lot_id}/spaces", f="bits", **parameters)
    SpaceBits.model_validate_json((await api.get(f"/v1/lots/{lot_id}/spaces?f=bits")).text)
    return told


def numbers(bitmap: str) -> set[int]:
    """The bays whose bits are set, as the contract has it."""
    return {
        8 * place + bit + 1
        for place, byte in enumerate(b64decode(bitmap))
        for bit in range(8)
        if byte >> bit & 1
    }


async def ten_bays(built: Builder, **values: Any) -> None:
    await built.lot("a", reporting="bays", capacity=10)
    await built.bays("a", *[(120.38, 36.06, "standard")] * 10)
    await built.report_bays("a", 10, [1, 10], [2, 9], **values)


@pytest.mark.parametrize("source", SOURCES)
async def test_bay_n_is_bit_n_minus_1(api: httpx.AsyncClient, built: Builder, source: str) -> None:
    await ten_bays(built)
    told = await bits(api, "a", source=source)

    assert (told["lot_id"], told["capacity"], told["data_state"]) == ("a", 10, "live")
    # 3 to 8, and 2 and 9: the first byte has the bays 1 to 8, its least bit is bay 1.
    assert b64decode(told["free"]) == bytes([0b11111100, 0b00])
    assert b64decode(told["unknown"]) == bytes([0b00000010, 0b01])
    assert told["as_of"] == told["observed_at"]


@pytest.mark.parametrize("source", SOURCES)
async def test_of_a_silent_lot_all_bays_are_unknown(
    api: httpx.AsyncClient, built: Builder, source: str
) -> None:
    await ten_bays(built, age_s=7200)
    told = await bits(api, "a", source=source)
    assert told["data_state"] == "unknown"
    assert numbers(told["free"]) == set()
    assert numbers(told["unknown"]) == set(range(1, 11))


@pytest.mark.parametrize("source", SOURCES)
async def test_what_is_no_bay_in_service_is_unknown(
    api: httpx.AsyncClient, built: Builder, source: str
) -> None:
    """A number that no bay has, and a bay beyond the capacity."""
    await ten_bays(built)
    await built.connection.execute("DELETE FROM space WHERE number = 4")
    await built.connection.execute(
        "UPDATE lot_state SET capacity = 8, free_spaces = 6, unknown_spaces = 1,"
        " occupied_bits = '\\x01', unknown_bits = '\\x02', version = version + 1"
    )
    told = await bits(api, "a", source=source)
    assert told["capacity"] == 8
    assert numbers(told["free"]) == {3, 5, 6, 7, 8}
    assert numbers(told["unknown"]) == {2, 4, 9, 10}


@pytest.mark.parametrize("source", SOURCES)
async def test_where_the_gates_count_there_are_none(
    api: httpx.AsyncClient, built: Builder, source: str
) -> None:
    await built.lot("a")
    await built.bays("a", (120.38, 36.06, "standard"))
    await built.report("a", 3)
    told = await bits(api, "a", source=source)
    assert (told["free"], told["unknown"], told["capacity"]) == (None, None, 10)


async def test_it_says_what_the_list_of_bays_says(big_api: httpx.AsyncClient) -> None:
    lots = (await get(big_api, "/v1/map"))["lot_id"][:200]
    compared = 0
    for lot_id in lots:
        bays = await get(big_api, f"/v1/lots/{lot_id}/spaces")
        told = await bits(big_api, lot_id)
        for name in ("data_state", "observed_at", "as_of", "degraded"):
            assert told[name] == bays[name]
        for name in ("free", "unknown") if bays["items"] else ():
            listed = {bay["number"] for bay in bays["items"] if bay["state"] == name}
            assert numbers(told[name]) == listed
            compared += len(listed)
        assert told == await bits(big_api, lot_id, source="database")
    assert compared > 1000


async def test_who_is_not_there(api: httpx.AsyncClient, built: Builder) -> None:
    await built.lot("gone", retired_at=built.now)
    for source in SOURCES:
        for lot_id, status in (("none", 404), ("gone", 410)):
            answer = await api.get(f"/v1/lots/{lot_id}/spaces?f=bits&source={source}")
            assert answer.status_code == status
    assert await refused(api, "/v1/lots/none/spaces", f="geojson") == ["f"]
