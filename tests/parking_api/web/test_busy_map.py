"""The map under a busy stream: what it keeps does not grow."""

import httpx
from playwright.async_api import expect

from tests.parking_api.serving import get
from tests.parking_api.web.between import Between
from tests.parking_api.web.conftest import COUNTED, Site, Visitor, state
from tests.polling import until

# The browser compiles at first.
WARM_UP, ROUNDS = 3, 9
# Events of a round; each changes all lots.
EVENTS = 24
# Less than whatever could be kept of a lot that changes.
MOST_GROWTH_BYTES = 100


async def test_memory_stays_flat_over_many_changes(
    broken: Visitor, between: Between, site: Site
) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        ids = (await get(client, "/v1/map"))["lot_id"]
    changes = ROUNDS * EVENTS * len(ids)
    assert changes >= 10_000
    between.lots = [state(lot_id, 1) for lot_id in ids]
    async with broken.visit(f"/#lot={COUNTED}&lang=en") as visit:
        await until(visit.marks, "marks on the map")
        figure, before = visit.page.locator(".lot .figure b"), {}
        for number in range(WARM_UP + ROUNDS):
            if number == WARM_UP:
                before = await visit.memory()
            for event in range(EVENTS):
                free = 2 + (number * EVENTS + event) % 400
                between.tell(*(state(lot_id, free) for lot_id in ids))
                await expect(figure).to_have_text(str(free))
            await until(visit.marks, "marks on the map")

        # What is under way to the map's worker comes and goes; what is kept stays.
        async def flat() -> bool:
            now = await visit.memory()
            grown = {name: now[name] - before[name] for name in before}
            # Fewer than one an event would be.
            return (
                max(grown["nodes"], grown["jsEventListeners"]) < ROUNDS * EVENTS // 2
                and grown["usedSize"] < MOST_GROWTH_BYTES * changes
            )

        await until(flat, "no more memory than before")
