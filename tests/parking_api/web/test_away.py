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


@pytest.mark.parametrize(("locale", "broker"), [("en-GB", "the broker"), ("zh-CN", "消息代理")])
async def test_a_broker_that_is_away_is_told_until_it_is_back(
    visitor: Visitor, site: Site, key: str, locale: str, broker: str
) -> None:
    path = "/operations"
    async with (
        visitor.visit(path, locale=locale, viewport=WALL) as visit,
        visitor.visit(f"/sign?lots={COUNTED}") as beside,
    ):
        await sign_in(visit.page, key)
        await expect(visit.page.locator(".row").first).to_be_visible()
        missing = visit.page.get_by_role("alert").filter(has_text=broker)
        await expect(missing).to_have_count(0)
        site.broker.stop()
        try:
            await expect(missing).to_be_visible(timeout=WITHIN_MS)
            await visit.picture(f"operations-broker-away-{locale[:2]}")
        finally:
            site.broker.start()
        await expect(missing).to_have_count(0, timeout=WITHIN_MS)
        # What is reported after is shown, on pages that were open all the time.
        free = 7 if locale == "zh-CN" else 8
        await report_count(site, free)
        figure = beside.page.locator(f'[data-lot="{COUNTED}"] .free')
        await expect(figure).to_have_text(str(free), timeout=WITHIN_MS)


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
