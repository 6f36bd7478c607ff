"""The map under a busy stream: what it keeps does not grow."""

import httpx
from playwright.async_api import expect

from tests.parking_api.serving import get
from tests.parking_api.web.between import Between
from tests.parking_api.web.conftest import COUNTED, Site, Visitor, state
from tests.polling import until

ROUNDS = 12
# Events of a round; each changes all lots.
EVENTS = 24
# Less than whatever could be kept of a lot that changes.
MOST_GROWTH_BYTES = 100


async def test_memory_stays_flat_over_many_changes(
    broken: Visitor, between: Between, site: Site
) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        ids = (await get(client, "/v1/map"))["lot_id"]
    assert ROUNDS * EVENTS * len(ids) >= 5_000
    between.lots = [state(lot_id, 1) for lot_id in ids]
    async with broken.visit(f"/#lot={COUNTED}&lang=en") as visit:
        await until(visit.marks, "marks on the map")
        figure, rounds = visit.page.locator(".lot .figure b"), []
        for number in range(ROUNDS):
            for event in range(EVENTS):
                free = 2 + (number * EVENTS + event) % 400
                between.tell(*(state(lot_id, free) for lot_id in ids))
                await expect(figure).to_have_text(str(free))
            await until(visit.marks, "marks on the map")
            rounds.append(await visit.memory())
    # What is under way to the map's worker comes and goes, and the browser compiles at first: the
    # least of each half shows what is kept.
    half = ROUNDS // 2
    grown = {
        name: min(each[name] for each in rounds[half:]) - min(each[name] for each in rounds[:half])
        for name in rounds[0]
    }
    # Fewer than one an event would be.
    assert max(grown["nodes"], grown["jsEventListeners"]) < EVENTS, rounds
    assert grown["usedSize"] < MOST_GROWTH_BYTES * half * EVENTS * len(ids), rounds
