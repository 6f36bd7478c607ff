"""The page for drivers, in a browser: what it shows, in both languages, on a phone and a desk."""

import asyncio
import re
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
from playwright.async_api import Route, expect

from tests.parking_api.builders import Builder
from tests.parking_api.serving import get
from tests.parking_api.web.conftest import (
    COUNTED,
    DESK,
    PHONE,
    SENSED,
    Site,
    Visitor,
    database_away,
    faults,
    report_bays,
    report_count,
)
from tests.polling import until
from tests.servers import Databases

SHANGHAI = ZoneInfo("Asia/Shanghai")
SQUARE = "at=120.3826,36.0671&name=五四广场&name_en=May Fourth Square"
MOST_BYTES = 650_000


async def test_it_opens_on_the_whole_city(visitor: Visitor, site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        lots = (await get(client, "/v1/lots?limit=1000"))["items"]
    # Some close in the evening.
    free = sum(lot["free_spaces"] or 0 for lot in lots if lot["status"] != "closed")
    async with visitor.visit(viewport=DESK) as visit:
        await expect(visit.page.locator("h2")).to_have_text(f"全市空位 {free:,}")
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
        for free in (11, 37):  # Numbers rise with it: reports of one second too.
            await report_count(site, free)
            await expect(figure).to_have_text(str(free))


async def test_a_place_is_found_by_typing_and_its_lots_are_listed(visitor: Visitor) -> None:
    async with visitor.visit() as visit:
        page = visit.page
        await page.keyboard.press("Tab")
        await page.get_by_role("combobox").fill("wsgc")
        await expect(page.get_by_role("option").first).to_contain_text("五四广场")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator("h2")).to_have_text("五四广场附近")
        await expect(page.locator(".row").first).to_contain_text("步行约")
        await expect(page.locator(".row").first).to_contain_text("停 2 小时 ¥")
        await page.get_by_role("combobox").fill("没有这个地方")
        await expect(page.get_by_text("没有找到“没有这个地方”")).to_be_visible()


async def test_the_stay_makes_the_price(visitor: Visitor, site: Site) -> None:
    async with visitor.visit(f"/#{SQUARE}&lang=en", viewport=PHONE) as visit:
        page = visit.page
        price = page.locator(".row .price").first
        await expect(price).to_contain_text("for 2 h")
        await page.get_by_role("button", name="Stay: 2 h").click()
        await page.get_by_role("button", name="12 h").click()
        await expect(price).to_contain_text("for 12 h")
        await page.get_by_role("button", name="Arrival: now").click()
        await page.get_by_label("Arrival", exact=True).locator("input").fill("2030-01-02T21:00")
        await expect(page.get_by_role("button", name="Arrival: 2 Jan 2030 21:00")).to_be_visible()
        async with httpx.AsyncClient(base_url=site.api.url) as client:
            at = {"at": "2030-01-02T21:00:00+08:00", "duration_min": 720}
            found = await get(client, "/v1/nearest", lon=120.3826, lat=36.0671, **at)
        minor = found["lots"][0]["quote"]["total_minor"]
        yuan = f"{minor / 100:.2f}".removesuffix(".00")
        await expect(price).to_contain_text(f"¥{yuan} for 12 h")


async def test_a_link_brings_back_place_stay_lot_and_language(visitor: Visitor) -> None:
    async with visitor.visit(f"/#{SQUARE}&lang=en") as visit:
        page = visit.page
        await page.get_by_role("button", name="Stay: 2 h").click()
        await page.get_by_role("button", name="30 min").click()
        await page.locator(".row").first.click()
        name = await page.locator(".lot h2").inner_text()
        link = page.url
    assert "#" in link
    async with visitor.visit(link.removeprefix(visitor.url), locale="zh-CN") as visit:
        await expect(visit.page.locator(".lot h2")).to_have_text(name)
        await expect(visit.page.locator(".price")).to_contain_text("for 30 min")
        await visit.page.get_by_role("button", name="Back").click()
        await expect(visit.page.locator("h2")).to_have_text("Near May Fourth Square")


async def test_my_place_is_asked_for_and_kept_nowhere(visitor: Visitor) -> None:
    here = {"longitude": 120.3826, "latitude": 36.0671}
    async with visitor.visit(permissions=["geolocation"], geolocation=here) as visit:
        await visit.page.get_by_role("button", name="我的位置").click()
        await expect(visit.page.locator("h2")).to_have_text("我的位置附近")
        await expect(visit.page.locator(".row").first).to_be_visible()
        assert "120.38" not in visit.page.url
        assert "120.38" not in await visit.page.evaluate("JSON.stringify(localStorage)")
    async with visitor.visit(permissions=[]) as visit:
        await visit.page.get_by_role("button", name="我的位置").click()
        await expect(visit.page.get_by_text("未获准使用位置")).to_be_visible()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("120.56,36.12", "No lot with a free space within 2 km · The nearest is"),
        ("120.9,36.3", "No free space within 20 km."),
        ("100,30", "That place is outside the city."),
    ],
)
async def test_far_from_any_lot_it_says_so(visitor: Visitor, place: str, told: str) -> None:
    async with visitor.visit(f"/#at={place}&lang=en") as visit:
        await expect(visit.page.get_by_text(told)).to_be_visible()
        rows = visit.page.locator(".row")
        await expect(rows).to_have_count(1 if "nearest" in told else 0)


async def test_a_broken_stream_is_told_and_comes_back(visitor: Visitor) -> None:
    async with visitor.visit("/#lang=en", may_complain=True) as visit:
        await until(visit.marks, "marks on the map")
        await visit.page.context.set_offline(True)
        await expect(visit.page.get_by_text("This device is offline.")).to_be_visible()
        await expect(visit.page.get_by_text("No news since")).to_be_visible()
        await visit.picture("drivers-offline-desk-en-light")
        await visit.page.context.set_offline(False)
        await expect(visit.page.get_by_text("No news since")).to_be_hidden(timeout=20_000)


async def test_a_lot_that_there_is_not_is_told(visitor: Visitor) -> None:
    async with visitor.visit("/#lot=nowhere&lang=en", may_complain=True) as visit:
        await expect(visit.page.get_by_text("There is no such lot.")).to_be_visible()
        await visit.page.get_by_role("button", name="Back").click()
        await expect(visit.page.locator("h2")).to_contain_text("free in the city")


@pytest.fixture
async def history(databases: Databases, city_url: str) -> None:
    """A step of today, the last of yesterday, and one of a week ago, with 4 spaces free."""
    midnight = datetime.now(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    connection = await asyncpg.connect(databases.owner_url(city_url.rpartition("/")[2]))
    yesterday = midnight - timedelta(minutes=30)
    for start in (midnight, yesterday, midnight - timedelta(weeks=1)):
        await Builder(connection).step(SENSED, start)
    await connection.close()


async def test_a_lots_price_is_explained_and_its_day_is_drawn(
    visitor: Visitor, site: Site, history: None
) -> None:
    del history
    async with visitor.visit(f"/#lot={SENSED}&lang=en") as visit:
        page = visit.page
        await expect(page.get_by_text("Navigate", exact=True)).to_be_visible()
        await page.get_by_text("How the price is made").click()
        async with httpx.AsyncClient(base_url=site.api.url) as client:
            lot = await get(client, f"/v1/lots/{SENSED}", duration_min=120)
            entry = datetime.fromisoformat(lot["stay"]["from"])
            stay = {"entry": lot["stay"]["from"], "exit": (entry + timedelta(hours=2)).isoformat()}
            asked = await client.post("/v1/quotes", json={"lot_id": SENSED, **stay})
        told = [line["text"]["en"] for line in asked.json()["lines"]]
        assert told
        await expect(page.locator(".lines li")).to_have_text(told)
        await expect(page.get_by_role("row", name="24 h")).to_contain_text("¥")
        drawing = page.get_by_role("img", name="Free spaces today: 4 at least, 4 at most")
        await expect(drawing).to_be_visible()
        await expect(page.get_by_text("usual for this weekday")).to_be_visible()
        await expect(page.locator(".today rect")).to_have_count(1)
        # The last 24 hours began yesterday; but in the last step of a day they are today's alone.
        if datetime.now(SHANGHAI).strftime("%H:%M") < "23:29":
            await expect(page.get_by_text("yesterday, from now on")).to_be_visible()
            await expect(page.locator(".today svg .before")).to_have_attribute(
                "d", re.compile("^M33[0-9]")
            )
        # Each app gets the place in its own coordinates, and the name without what would end it.
        async with httpx.AsyncClient(base_url=site.api.url) as client:
            moved = await get(client, f"/v1/lots/{SENSED}", crs="gcj02")
        x, y = (f"{degrees:.6f}" for degrees in moved["location"]["coordinates"])
        lon, lat = lot["location"]["coordinates"]
        called = "May%20Fourth%20Square%20Try-out%20Parking%20bay%20sensors"
        links = {
            "Amap": f"https://uri.amap.com/navigation?to={x},{y},{called}&",
            "Baidu Maps": f"direction?destination=latlng:{y},{x}|name:{called}&coord_type=gcj02",
            "Tencent Maps": f"to={called}&tocoord={y},{x}",
            "Another map app": f"geo:{lat},{lon}?q={lat},{lon}({called})",
        }
        for app, address in links.items():
            link = page.get_by_role("link", name=app)
            await expect(link).to_have_attribute("href", re.compile(re.escape(address)))
        await visit.picture("drivers-price-desk-en-light")


async def test_single_bays_are_shown_when_close(visitor: Visitor) -> None:
    async with visitor.visit(f"/#lot={SENSED}") as visit:
        await until(visit.marks, "marks on the map")
        assert await visit.bays() == 0
        await visit.come_closer()
        await visit.picture("drivers-bays-desk-zh-light")


async def test_single_bays_change_on_the_open_map(visitor: Visitor, site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        lot = await get(client, f"/v1/lots/{SENSED}")
    async with visitor.visit(f"/#lot={SENSED}") as visit:
        asked: list[str] = []
        is_unknown = asyncio.Event()

        async def spaces(route: Route) -> None:
            """Let no other lot have bays."""
            address = urlsplit(route.request.url)
            if SENSED in address.path and is_unknown.is_set():
                await route.fulfill(json={"free": None, "unknown": None})
            elif SENSED in address.path:
                asked.append(address.query)
                await route.continue_()
            else:
                await route.fulfill(json={"items": []})

        await visit.page.route("**/v1/lots/*/spaces*", spaces)
        await until(visit.marks, "marks on the map")
        await visit.come_closer()

        async def have_changed(*, are_free: bool) -> bool:
            bays, free = await visit.bays(), await visit.free_bays()
            return bays > 0 and free == (bays if are_free else 0)

        for are_free in (True, False):
            await report_bays(site, lot["capacity"], are_free=are_free)
            await until(partial(have_changed, are_free=are_free), "bays in their new states")
        assert "f=bits" in asked
        # Bays of which nothing is known are shown as such, and come back.
        await report_bays(site, lot["capacity"], are_free=True)
        await until(partial(have_changed, are_free=True), "free bays")
        is_unknown.set()
        await report_bays(site, lot["capacity"], are_free=False)
        await until(partial(have_changed, are_free=False), "bays of which nothing is known")
        is_unknown.clear()
        await report_bays(site, lot["capacity"], are_free=True)
        await until(partial(have_changed, are_free=True), "bays that came back")


async def test_the_sheet_is_drawn_up_and_down(visitor: Visitor) -> None:
    async with visitor.visit(f"/#{SQUARE}&lang=en", viewport=PHONE) as visit:
        sheet = visit.page.locator(".sheet")
        await expect(visit.page.locator(".row").first).to_be_visible()
        for upwards, height in ((-200, "whole"), (200, "half"), (200, "line")):
            handle = await visit.page.locator(".handle").bounding_box()
            assert handle is not None
            x, y = handle["x"] + 100, handle["y"] + 10
            await visit.page.mouse.move(x, y)
            await visit.page.mouse.down()
            await visit.page.mouse.move(x, y + upwards, steps=3)
            await visit.page.mouse.up()
            await expect(sheet).to_have_attribute("data-height", height)
        for part in (".name", ".figure", ".price"):
            await expect(visit.page.locator(f".row {part}").first).to_be_in_viewport(ratio=1)
        await visit.picture("drivers-line-phone-en-light")
        await visit.page.locator(".handle").press("Enter")
        await expect(sheet).to_have_attribute("data-height", "half")


async def test_without_a_map_search_and_list_work(visitor: Visitor) -> None:
    async with visitor.visit("about:blank", may_complain=True) as visit:
        await visit.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
        await visit.page.goto(f"{visitor.url}/#{SQUARE}&lang=en")
        await expect(visit.page.get_by_text("This browser cannot show the map")).to_be_visible()
        await expect(visit.page.locator(".row").first).to_be_visible()


async def test_the_database_away_is_told(
    visitor: Visitor, databases: Databases, city_url: str
) -> None:
    async with visitor.visit(f"/#{SQUARE}&lang=en", may_complain=True) as visit:
        await expect(visit.page.locator(".row").first).to_be_visible()
        async with database_away(databases, city_url):
            await visit.page.get_by_role("button", name="Stay: 2 h").click()
            await visit.page.get_by_role("button", name="30 min").click()
            await expect(visit.page.get_by_text("The database is away")).to_be_visible()
            await expect(visit.page.locator(".row").first).to_contain_text("for 30 min")
            await visit.picture("drivers-database-away-desk-en-light")


async def test_a_row_says_what_must_fit_and_what_there_is(visitor: Visitor, site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        columns = await get(client, "/v1/map")
        nearest = await get(client, "/v1/nearest", lon=120.3826, lat=36.0671, limit=20)
    near = [lot["lot_id"] for lot in nearest["lots"]]
    heights = dict(zip(columns["lot_id"], columns["height_limit_m"], strict=True))
    chargers = dict(zip(columns["lot_id"], columns["bays"]["ev"], strict=True))
    assert any(heights[lot] for lot in near)
    assert any(chargers[lot] for lot in near)
    async with visitor.visit(f"/#{SQUARE}&lang=en") as visit:
        await expect(visit.page.locator(".row")).to_have_count(len(near))
        for row, lot in enumerate(near):
            text = visit.page.locator(".row").nth(row)
            if heights[lot]:
                await expect(text).to_contain_text(f"up to {heights[lot]:g} m high")
            if chargers[lot]:
                await expect(text).to_contain_text(f"{chargers[lot]} with chargers")
