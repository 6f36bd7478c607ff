"""What the page for operations says while the broker or the database is away, and after."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from tests.parking_api.people.keys import keyed
from tests.parking_api.web.conftest import COUNTED, Site, Visitor, database_away, report_count
from tests.parking_api.web.test_operations import WALL, sign_in
from tests.servers import Databases

# The ingester is missed once three of its heartbeats are.
WITHIN_MS = 60_000


@pytest.fixture(scope="module")
async def key(city_url: str) -> str:
    """A key of operations."""
    headers = await keyed(city_url, "zhao", "operations", at=datetime.now(UTC))
    return headers["Authorization"].split()[1]


async def test_a_broker_that_is_away_is_told_until_it_is_back(
    visitor: Visitor, site: Site, key: str
) -> None:
    path = "/operations"
    async with (
        visitor.visit(path, locale="en-GB", viewport=WALL) as english,
        visitor.visit(path, locale="zh-CN", viewport=WALL) as chinese,
        visitor.visit(f"/sign?lots={COUNTED}") as beside,
    ):
        alerts = []
        for visit, broker in ((english, "the broker"), (chinese, "消息代理")):
            await sign_in(visit.page, key)
            await expect(visit.page.locator(".row").first).to_be_visible()
            alerts.append(visit.page.get_by_role("alert").filter(has_text=broker))
            await expect(alerts[-1]).to_have_count(0)
        site.broker.stop()
        try:
            for visit, missing in zip((english, chinese), alerts, strict=True):
                await expect(missing).to_be_visible(timeout=WITHIN_MS)
                locale = await visit.page.evaluate("navigator.language")
                await visit.picture(f"operations-broker-away-{locale[:2]}")
        finally:
            site.broker.start()
        for missing in alerts:
            await expect(missing).to_have_count(0, timeout=WITHIN_MS)
        # What is reported after is shown, on pages that were open all the time.
        await report_count(site, 7)
        figure = beside.page.locator(f'[data-lot="{COUNTED}"] .free')
        await expect(figure).to_have_text("7", timeout=WITHIN_MS)


async def test_a_database_that_is_away_is_told_until_it_is_back(
    visitor: Visitor, databases: Databases, city_url: str, key: str
) -> None:
    async with visitor.visit(
        "/operations", locale="en-GB", viewport=WALL, may_complain=True
    ) as visit:
        await sign_in(visit.page, key)
        await expect(visit.page.locator(".row").first).to_be_visible()
        away = visit.page.get_by_role("alert").filter(has_text="The database cannot be reached")
        async with database_away(databases, city_url):
            await expect(away.first).to_be_visible(timeout=WITHIN_MS)
            # Once, however much is asked for.
            await expect(away).to_have_count(1)
            await visit.picture("operations-database-away-en")
        await expect(away).to_have_count(0, timeout=WITHIN_MS)
        await expect(visit.page.locator(".row").first).to_be_visible()
