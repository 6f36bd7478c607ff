"""The page for drivers, in a browser: what it shows, in both languages, on a phone and a desk."""

import json
import time
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.ingest_mqtt.running import publish
from tests.parking_api.serving import get
from tests.parking_api.web.conftest import COUNTED, DESK, GATEWAY, PHONE, ROOT, Site, Visitor
from tests.polling import until

SQUARE = "at=120.3826,36.0671&name=五四广场&name_en=May Fourth Square"
AXE = ROOT / "parking_api/web/node_modules/axe-core/axe.min.js"
MOST_BYTES = 650_000


async def test_it_opens_on_the_whole_city(visitor: Visitor, site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        totals = await get(client, "/v1/city")
    async with visitor.visit(viewport=DESK) as visit:
        await expect(visit.page.locator("h2")).to_have_text(f"全市空位 {totals['free_spaces']:,}")
        await expect(visit.page).to_have_title("全市停车 · 空位")
        await until(visit.marks, "marks on the map")
        await visit.picture("drivers-city-desk-zh-light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("language", "locale"), [("zh", "zh-CN"), ("en", "en-GB")])
async def test_nothing_bars_anybody(
    visitor: Visitor, language: str, locale: str, scheme: str
) -> None:
    """By axe: contrast, names of controls, structure; on a phone and a desk."""
    async with visitor.visit(
        f"/#{SQUARE}&lang={language}", locale=locale, color_scheme=scheme, viewport=PHONE
    ) as visit:
        await expect(visit.page.locator(".row").first).to_be_visible()
        for name, size in (("phone", PHONE), ("desk", DESK)):
            await visit.page.set_viewport_size(size)  # type: ignore[arg-type]
            assert await faults(visit.page) == []
            await until(visit.marks, "marks on the map")
            await visit.picture(f"drivers-near-{name}-{language}-{scheme}")
        await visit.page.locator(".row").first.click()
        await expect(visit.page.locator(".lot h2")).to_be_visible()
        assert await faults(visit.page) == []
        await visit.picture(f"drivers-lot-desk-{language}-{scheme}")


def axe() -> str:
    return AXE.read_text(encoding="utf-8")


async def faults(page: Any) -> list[str]:
    await page.evaluate(axe())
    found = await page.evaluate("axe.run()")
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def test_its_language_is_the_browsers_until_one_is_chosen(visitor: Visitor) -> None:
    async with visitor.visit(locale="en-US") as visit:
        await expect(visit.page.locator("html")).to_have_attribute("lang", "en")
        await expect(visit.page.get_by_placeholder("Search a place or a lot")).to_be_visible()
        await visit.page.get_by_role("button", name="中文").click()
        await expect(visit.page.locator("html")).to_have_attribute("lang", "zh-CN")
        await visit.page.goto(visitor.url)
        await expect(visit.page.get_by_placeholder("搜索地点、停车场")).to_be_visible()


async def test_it_is_dark_where_people_like_it_so(visitor: Visitor) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        async with visitor.visit(color_scheme=scheme) as visit:
            grounds.add(
                await visit.page.locator(".sheet").evaluate(
                    "it => getComputedStyle(it).backgroundColor"
                )
            )
    assert grounds == {"rgb(255, 255, 255)", "rgb(24, 32, 39)"}


async def test_it_weighs_little_until_it_can_be_used(visitor: Visitor) -> None:
    async with visitor.visit() as visit:
        await until(visit.marks, "marks on the map")
        weights = await visit.page.evaluate(
            "performance.getEntriesByType('resource').concat("
            "performance.getEntriesByType('navigation'))"
            ".map(each => [each.name, each.encodedBodySize])"
        )
    assert len(weights) > 5
    assert any("assets/worker-" in name for name, _ in weights)
    assert sum(weight for _, weight in weights) < MOST_BYTES, weights


async def test_a_report_shows_on_the_open_map(visitor: Visitor, site: Site) -> None:
    async with visitor.visit(f"/#lot={COUNTED}") as visit:
        figure = visit.page.locator(".lot .large b")
        for free in (37, 11):
            now = time.time()
            report = {
                "epoch": int(now),
                "seq": free,
                "observed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
                "free": free,
            }
            topic = f"onelot/v1/feeds/{GATEWAY}/{COUNTED}/count"
            await publish(site.broker, topic, json.dumps(report).encode(), user=GATEWAY)
            await expect(figure).to_have_text(str(free))
