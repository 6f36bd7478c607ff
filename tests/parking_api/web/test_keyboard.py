"""The map's marks by keys and for screen readers, and the tariff of a lot in words."""

import re

import httpx
from playwright.async_api import expect

from tests.parking_api.serving import get
from tests.parking_api.web.conftest import COUNTED, DESK, Site, Visitor, faults
from tests.polling import until

MARKS = ".mark-buttons button"


async def test_marks_are_reached_by_keys(visitor: Visitor) -> None:
    async with visitor.visit("/#lang=en", viewport=DESK) as visit:
        page = visit.page
        await until(visit.marks, "marks on the map")
        await expect(page.get_by_role("group", name="Lots on the map")).to_be_visible()
        assert await faults(page) == []
        # One of them is in the order of Tab.
        await expect(page.locator(f"{MARKS}[tabindex='0']")).to_have_count(1)
        await page.get_by_role("button", name="Zoom in").focus()
        for _ in range(10):
            await page.keyboard.press("Tab")
            if await page.locator(f"{MARKS}:focus").count():
                break
        first = page.locator(f"{MARKS}:focus")
        await expect(first).to_have_text(re.compile(r" · (\d.* free|full|closed|not known now)$"))
        before = await first.get_attribute("data-key")
        for arrow in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"):
            await page.keyboard.press(arrow)
        reached = {before}
        for arrow in ("ArrowDown", "ArrowRight"):
            await page.keyboard.press(arrow)
            reached.add(await page.locator(f"{MARKS}:focus").get_attribute("data-key"))
        assert len(reached) > 1

        # A sum opens into its parts, until a lot is chosen: without leaving the keyboard.
        async def is_chosen() -> bool:
            if await page.locator(".lot h2").count():
                return True
            if await page.locator(f"{MARKS}:focus").count():
                await page.keyboard.press("Enter")
            return False

        await until(is_chosen, "a lot chosen by keys")
        await expect(page.locator(".lot h2")).to_be_visible()


async def test_what_screen_readers_say_of_a_mark_is_what_the_lot_has(
    visitor: Visitor, site: Site
) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        lot = await get(client, f"/v1/lots/{COUNTED}")
    async with visitor.visit(f"/#lot={COUNTED}&lang=zh", viewport=DESK) as visit:
        await until(visit.marks, "marks on the map")
        mark = visit.page.locator(f'{MARKS}[data-key="lot {COUNTED}"]')
        free = lot["free_spaces"]
        said = "暂不可知" if free is None else f"空位 {free:,}" if free else "已满"
        await expect(mark).to_have_text(f"{lot['name']['zh']} · {said}")


async def test_the_tariff_is_told_in_words(visitor: Visitor, site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        lot = await get(client, f"/v1/lots/{COUNTED}", duration_min=120)
        quote = lot["quote"]
        path = f"/v1/tariffs/{quote['tariff_id']}/versions/{quote['version']}/notice"
        told = {lang: await get(client, path, f="json", lang=lang) for lang in ("zh", "en")}
    for lang, notice in told.items():
        sections = {section["kind"]: section["sentences"] for section in notice["sections"]}
        sentences = sections["rates"] + sections.get("caps", []) + sections.get("free", [])
        assert len(sentences) > 1
        async with visitor.visit(f"/#lot={COUNTED}&lang={lang}") as visit:
            await expect(visit.page.locator(".tariff li")).to_have_text(sentences)
            await expect(visit.page.locator(".tariff a")).to_have_attribute(
                "href", f"{path}?lang={lang}"
            )


async def test_places_have_their_names_on_the_map(visitor: Visitor, site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        places = await get(client, "/v1/map/places")
        found = await get(client, "/v1/places", q="五四广场", limit=1)
    at = places["name"]["zh"].index("五四广场")
    location = found["items"][0]["location"]["coordinates"]
    assert [places["lon"][at], places["lat"][at]] == [round(each, 5) for each in location]
    async with visitor.visit(f"/#at={location[0]},{location[1]}", viewport=DESK) as visit:
        await until(visit.marks, "marks on the map")

        async def are_named() -> int:
            told = await visit.page.locator(".map").get_attribute("data-places")
            return int(told or 0)

        await until(are_named, "names on the map")
        await visit.picture("drivers-places-desk-zh-light")


async def test_zones_have_their_borders_on_the_map_once_it_is_close(visitor: Visitor) -> None:
    async with visitor.visit("/", viewport=DESK) as visit:
        asked = visit.page.expect_request("**/v1/zones")
        zones = visit.page.locator(".map")
        await until(visit.marks, "marks on the map")
        await expect(zones).to_have_attribute("data-zones", "0")
        async with asked:
            await visit.page.goto(f"{visit.url}/#at=120.38,36.062")

        async def are_there() -> int:
            return int(await zones.get_attribute("data-zones") or 0)

        await until(are_there, "borders of zones on the map")
