"""The list without a map: HTML by the server, for browsers without scripts and for old ones."""

import re

import httpx
import pytest
from playwright.async_api import expect

from tests.parking_api.serving import get
from tests.parking_api.web.conftest import PHONE, Site, Visitor, faults

SQUARE = {"lon": 120.3826, "lat": 36.0671}


@pytest.fixture
async def client(site: Site) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=site.api.url)


async def test_without_scripts_the_page_is_the_list(visitor: Visitor) -> None:
    async with visitor.visit(java_script_enabled=False, viewport=PHONE) as visit:
        page = visit.page
        await expect(page).to_have_url(f"{visitor.url}/list")
        await expect(page.locator("h1")).to_have_text("全市空位最多的停车场")
        await expect(page.locator("li")).to_have_count(20)
        figures = [int(each.replace(",", "")) for each in await page.locator("b").all_inner_texts()]
        assert figures == sorted(figures, reverse=True)
        await visit.picture("drivers-list-city-phone-zh-light")
        await page.get_by_role("searchbox").fill("五四广场")
        await page.get_by_role("combobox").select_option("240")
        await page.get_by_role("button", name="查看").click()
        await expect(page.locator("h1")).to_have_text("五四广场附近")
        await expect(page.locator("li").first).to_contain_text(
            re.compile(r"空位 [\d,]+ · 共 .*前 · 步行约 \d+ 分钟 · \d+ 米 · 停 4小时 ", re.DOTALL)
        )
        await visit.picture("drivers-list-near-phone-zh-light")
        await page.get_by_role("link", name="English").click()
        await expect(page.locator("h1")).to_have_text("Near May Fourth Square")
        await expect(page.locator("li").first).to_contain_text(
            re.compile(r"free of .* ago · about \d+ min", re.DOTALL)
        )
        await visit.picture("drivers-list-near-phone-en-light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_nothing_bars_anybody(visitor: Visitor, lang: str, scheme: str) -> None:
    path = f"/list?q=五四广场&lang={lang}"
    async with visitor.visit(path, color_scheme=scheme, viewport=PHONE) as visit:
        await expect(visit.page.locator("li").first).to_be_visible()
        assert await faults(visit.page) == []
        await visit.picture(f"drivers-list-phone-{lang}-{scheme}")


async def test_old_browsers_are_shown_the_way_to_it(visitor: Visitor) -> None:
    """Those that do not know modules: here none comes."""
    async with visitor.visit("about:blank", may_complain=True) as visit:
        await visit.page.route("**/assets/drivers-*.js", lambda route: route.abort())
        await visit.page.goto(visitor.url)
        await visit.page.get_by_role("link", name="无地图的列表").click()
        await expect(visit.page.locator("li")).to_have_count(20)


async def test_it_says_what_the_api_says(client: httpx.AsyncClient) -> None:
    ask = {**SQUARE, "duration_min": 120}
    lots = (await get(client, "/v1/nearest", **ask, limit=20))["lots"]
    answer = await client.get("/list", params={**ask, "lang": "en"})
    text = answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-language"] == "en"
    assert re.findall(r"<h2>(.*)</h2>", text) == [lot["name"]["en"] for lot in lots]
    assert re.findall(r"<b>(.*)</b>", text) == [f"{lot['free_spaces']:,}" for lot in lots]
    told = re.findall(r"(CNY [\d.]+|price not known)", text)
    assert [each != "price not known" for each in told] == [
        lot["quote"] is not None for lot in lots
    ]
    prices = [float(each.split()[1]) for each in told if each.startswith("CNY")]
    assert prices == [lot["quote"]["total_minor"] / 100 for lot in lots if lot["quote"]]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ({"q": "<script>x</script>", "lang": "en"}, "Nothing is called “&lt;script&gt;"),
        ({"lon": 120.56, "lat": 36.12, "lang": "en"}, "No lot with a free space within 2 km"),
        ({"lon": 100, "lat": 30, "lang": "zh"}, "20 公里内没有空位"),
        ({"q": "八大关" * 40}, None),
        ({"lon": 400, "lat": 30}, None),
    ],
)
async def test_what_is_odd_is_told(
    client: httpx.AsyncClient, ask: dict[str, str | float], told: str | None
) -> None:
    answer = await client.get("/list", params=ask)
    assert answer.status_code == (422 if told is None else 200)
    assert told is None or told in answer.text
    assert "<script" not in answer.text


async def test_it_has_no_script_and_its_own_style_alone(client: httpx.AsyncClient) -> None:
    answer = await client.get("/list", headers={"accept-language": "zh-CN"})
    policy = answer.headers["content-security-policy"]
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["content-language"] == "zh-CN"
