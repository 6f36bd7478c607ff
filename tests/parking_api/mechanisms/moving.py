"""A price mechanism at work: drafted, approved, its history written, its prices reviewed."""

from datetime import datetime, timedelta
from typing import Any

from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, document

TODAY = datetime.fromisoformat("2026-11-22T00:00:00+08:00")
DAY = timedelta(days=1)

HISTORY = """
INSERT INTO lot_occupancy (
    lot_id, step_at, capacity, covered_s, space_s, known_space_s, free_space_s, free_last,
    free_min, free_max, full_s
)
SELECT
    $1, at, $2::integer, $3, $2::integer * $3::float8, $2::integer * $3::float8, $4, 0, 0,
    $2::integer, $5
FROM generate_series($6::timestamptz, $7::timestamptz - interval '5 minutes', '5 minutes') AS at
"""


def mechanism(**fields: Any) -> dict[str, Any]:
    """A mechanism for zone z-1's street, whose tariff is 6.00 an hour around the clock."""
    return {
        "id": "m-1",
        "zone_id": "z-1",
        "lot_types": ["on_street"],
        "time_bands": [{"id": "all", "days": "all", "start": "00:00", "end": "24:00"}],
        "floor_minor": 200,
        "ceiling_minor": 1000,
        "grid_minor": 20,
    } | fields


async def drafted(bureau: Bureau, **fields: Any) -> Any:
    return await bureau.post("/v1/mechanisms", bureau.drafter, mechanism=mechanism(**fields))


async def approved(bureau: Bureau, tariff: Any = None, **fields: Any) -> str:
    """Publish the tariff, draft the mechanism, approve it; give its path."""
    await bureau.published(document=tariff or document())
    answer = await drafted(bureau, **fields)
    assert answer.status_code == 201, answer.text
    path = str(answer.headers["location"])
    told = await bureau.act(path, "approve", bureau.approver)
    assert (told["state"], told["approved_by"]) == ("approved", "li")
    # The price has stood since long ago when it is reviewed.
    bureau.clock.now += 60 * DAY
    return path


async def by_season(bureau: Bureau, **seasons: tuple[str, str]) -> str:
    """The same with a price for each season, from its first day to its last."""
    day = document()["periods"][0]
    days = {name: {"from": first, "to": last} for name, (first, last) in seasons.items()}
    periods = [day | {"id": name, "season": season} for name, season in days.items()]
    given = [{"id": name, **season} for name, season in days.items()]
    return await approved(bureau, document(periods=periods), seasons=given)


async def seen(
    built: Builder,
    bureau: Bureau,
    lot_id: str = "street",
    *,
    capacity: int = 10,
    occupancy: float = 0.95,
    full_s: float = 0.0,
    covered_s: float = 300.0,
) -> None:
    """Write the 28 whole days before the clock's."""
    end = bureau.clock.now.astimezone(TODAY.tzinfo).replace(hour=0, minute=0)
    free = (1 - occupancy) * capacity * covered_s
    await built.connection.execute(
        HISTORY, lot_id, capacity, covered_s, free, full_s, end - 28 * DAY, end
    )


async def reviewed(bureau: Bureau, path: str, status: int = 201) -> Any:
    answer = await bureau.post(f"{path}/reviews", bureau.drafter)
    assert answer.status_code == status, answer.text
    return answer.json()
