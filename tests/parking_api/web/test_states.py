"""States of the drivers' page in which something is amiss: told in words, and kept as pictures."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.parking_api.web.conftest import COUNTED, DESK, PHONE, Visitor, faults
from tests.polling import until

NO_MAP = "HTMLCanvasElement.prototype.getContext = () => null;"
# Each size, language and scheme once.
LOOKS = [("phone", PHONE, "zh", "light"), ("desk", DESK, "en", "dark")]
TOLD = {
    "loading": {"zh": "正在连接实时数据", "en": "Connecting to live data"},
    "away": {"zh": "平台暂时无法应答", "en": "The platform does not answer"},
    "denied": {"zh": "未获准使用位置", "en": "Your place may not be used"},
    "outside": {"zh": "该位置在城区之外", "en": "That place is outside the city"},
    "none": {"zh": "20 公里内没有空位", "en": "No free space within 20 km"},
    "no-webgl": {"zh": "此浏览器不能显示地图", "en": "This browser cannot show the map"},
    "offline": {"zh": "设备未联网", "en": "This device is offline"},
    "gone": {"zh": "之后没有新数据", "en": "No news since"},
}


@pytest.mark.parametrize(("size", "viewport", "lang", "scheme"), LOOKS)
async def test_each_is_told(
    visitor: Visitor, size: str, viewport: Any, lang: str, scheme: str
) -> None:
    look = {"viewport": viewport, "color_scheme": scheme, "permissions": []}
    async with visitor.visit("about:blank", may_complain=True, **look) as visit:
        page = visit.page
        my_place = {"zh": "我的位置", "en": "My place"}[lang]

        async def is_told(state: str) -> None:
            await expect(page.get_by_text(TOLD[state][lang]).first).to_be_visible()
            assert await faults(page) == []
            await visit.picture(f"drivers-{state}-{size}-{lang}-{scheme}")

        async def at(fragment: str) -> None:
            await page.goto("about:blank")
            await page.goto(f"{visitor.url}/#{fragment}&lang={lang}")

        # Nothing has come yet.
        held: list[Route] = []
        await page.route("**/v1/**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright looks at it
        await at("")
        await is_told("loading")
        for route in held:
            await route.abort()
        await page.unroute("**/v1/**")
        # Nothing comes.
        await page.route("**/v1/districts", lambda route: route.fulfill(status=503, json={}))
        await at("")
        await is_told("away")
        await page.unroute("**/v1/districts")

        await at("at=100,30")
        await is_told("outside")
        await at("at=120.9,36.3")
        await is_told("none")
        await at("")
        await until(visit.marks, "marks on the map")
        await visit.picture(f"drivers-city-{size}-{lang}-{scheme}")
        await page.get_by_role("button", name=my_place).click()
        await is_told("denied")

        await at(f"lot={COUNTED}")
        await expect(page.locator(".tariff li").first).to_be_visible()
        await until(visit.marks, "marks on the map")
        await visit.picture(f"drivers-tariff-{size}-{lang}-{scheme}")
        await page.context.set_offline(True)
        await is_told("offline")
        await is_told("gone")
        await page.context.set_offline(False)

        await page.add_init_script(NO_MAP)
        await at("at=120.3826,36.0671")
        await expect(page.locator(".row").first).to_be_visible()
        await is_told("no-webgl")


async def test_around_a_place_the_nearest_lots_are_in_sight(visitor: Visitor) -> None:
    """On a phone too, where they lie 600 m away."""
    async with visitor.visit("/#at=120.3826,36.0671", viewport=PHONE) as visit:
        await until(visit.marks, "marks on the map")
        await expect(visit.page.locator(".mark-buttons button").first).to_be_attached()
        await visit.picture("drivers-around-phone-zh-light")
