"""The guidance sign: large figures, live; `--` and the reason where nothing may be said."""

from itertools import pairwise

import asyncpg
import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.parking_api.serving import get
from tests.parking_api.web.between import Between
from tests.parking_api.web.conftest import (
    COUNTED,
    PHONE,
    SENSED,
    Site,
    Visitor,
    faults,
    report_count,
    state,
)
from tests.servers import Databases

BOTH = f"/sign?lots={COUNTED}:left,{SENSED}:up-right"
WALL = {"width": 1920, "height": 1080}
TALL = {"width": 1080, "height": 1920}
LEAST_PX = 160
UPDATES = 10_000
BATCH = 100
ROUNDS = 4
# Of a round: five bytes an update, less than whatever could be kept of one.
MOST_GROWTH_BYTES = 50_000


def line(page: Page, lot_id: str) -> Locator:
    return page.locator(f'[data-lot="{lot_id}"]')


async def shows(page: Page, lot_id: str, figure: str, *why: str) -> None:
    """Wait for a figure, and words in both languages."""
    await expect(line(page, lot_id).locator(".free")).to_have_text(figure)
    for words in why:
        await expect(line(page, lot_id).locator(".why")).to_contain_text(words)


CUT_OFF = """all => all.filter(it => {
    const [own, line] = [it, it.parentNode].map(one => one.getBoundingClientRect());
    return it.scrollWidth > it.clientWidth || own.left < line.left || own.right > line.right
        || own.top < line.top || own.bottom > line.bottom;
}).map(it => it.outerHTML)"""


async def nothing_is_cut_off(page: Page) -> None:
    """Of a figure, least of all a digit."""
    assert await page.locator(".line > *").evaluate_all(CUT_OFF) == []


async def test_a_report_shows_on_the_sign(visitor: Visitor, site: Site) -> None:
    async with visitor.visit(BOTH, viewport=WALL) as visit:
        async with httpx.AsyncClient(base_url=site.api.url) as client:
            lot = await get(client, f"/v1/lots/{COUNTED}")
        for name in lot["name"].values():
            await expect(line(visit.page, COUNTED).locator(".name")).to_contain_text(name)
        for free in (0, 23):
            await report_count(site, free)
            await shows(visit.page, COUNTED, str(free))
        await expect(line(visit.page, COUNTED).get_by_role("img")).to_have_attribute(
            "aria-label", "左 left"
        )


@pytest.mark.parametrize(
    ("name", "size"), [("wall", WALL), ("tall", TALL), ("phone", PHONE)], ids=lambda each: each
)
async def test_figures_are_large_and_nothing_bars_anybody(
    visitor: Visitor, name: str, size: dict[str, int]
) -> None:
    many = f"{BOTH},370202-0003:down,370202-0004"
    async with visitor.visit(many, viewport=size, may_complain=True) as visit:
        page = visit.page
        await expect(page.locator(".name [lang=en]").first).to_be_visible()
        figures = await page.locator(".free").evaluate_all(
            "all => all.map(it => parseFloat(getComputedStyle(it).fontSize))"
        )
        assert min(figures) >= LEAST_PX
        assert await page.evaluate(
            "document.documentElement.scrollHeight <= innerHeight"
            " && document.documentElement.scrollWidth <= innerWidth"
        )
        await nothing_is_cut_off(page)
        cursor = await page.locator("body").evaluate("it => getComputedStyle(it).cursor")
        assert cursor == "none"
        assert await faults(page) == []
        await visit.picture(f"sign-{name}")


async def test_without_a_lot_it_says_how_to_name_one(visitor: Visitor) -> None:
    async with visitor.visit("/sign?utm=x") as visit:
        await expect(visit.page.locator("section[lang=zh-CN] h1")).to_have_text("停车诱导屏")
        await expect(visit.page.locator("section[lang=en-GB] h1")).to_have_text("Parking sign")
        await expect(visit.page.get_by_text("At most 50 lots.")).to_be_visible()
        assert await faults(visit.page) == []
        await visit.picture("sign-how")


async def test_what_may_not_be_shown_is_a_dash_with_its_reason(
    broken: Visitor, between: Between, databases: Databases, city_url: str
) -> None:
    gone = "370202-0003"
    connection = await asyncpg.connect(databases.owner_url(city_url.rpartition("/")[2]))
    await connection.execute("UPDATE lot SET retired_at = now() WHERE lot_id = $1", gone)
    await connection.close()
    between.lots = [
        state("370202-0001", 41, age_s=900, data_state="stale"),
        state("370202-0002", None, age_s=7300, data_state="unknown", status="unknown"),
        state("370202-0004", 7, status="closed"),
        state("370202-0005", None, observed_at=None, data_state="unknown", status="unknown"),
        state("370202-0006", 0, unknown_spaces=9, status="unknown"),
        state("370202-0007", 0, status="full"),
    ]
    ids = [each["lot_id"] for each in between.lots]
    path = f"/sign?lots={','.join([*ids, gone, 'no-such-lot', 'NOT AN ID'])}"
    size = {"width": 1920, "height": 1900}
    async with broken.visit(path, viewport=size, may_complain=True) as visit:
        page = visit.page
        await shows(page, ids[0], "--", "15 分钟前的数据，暂不可知", "15 min ago: not known now")
        await shows(page, ids[1], "--", "2 小时前的数据", "2 h ago")
        await shows(page, ids[2], "--", "关闭", "closed")
        await shows(page, ids[3], "--", "尚无数据", "nothing heard yet")
        await shows(page, ids[4], "--", "暂不可知", "not known now")
        await shows(page, ids[5], "0", "已满", "full")
        await shows(page, gone, "--", "已停用", "No longer in use")
        await shows(page, "no-such-lot", "--", "没有这个停车场", "There is no such lot")
        await shows(page, "NOT AN ID", "--", "编号有误", "Not an id of a lot")
        await nothing_is_cut_off(page)
        await visit.picture("sign-reasons")
    assert between.asked == [f"/v1/stream?lots={'%2C'.join([*ids, gone, 'no-such-lot'])}"]


async def test_a_limit_in_seconds_decides_in_place_of_the_lots_own(
    broken: Visitor, between: Between
) -> None:
    between.lots = [state(COUNTED, 41, age_s=200), state(SENSED, 7, age_s=900, data_state="stale")]
    for limit, counted, sensed in (("", "41", "--"), ("&limit=100", "--", "--")):
        async with broken.visit(BOTH + limit) as visit:
            await shows(visit.page, COUNTED, counted)
            await shows(visit.page, SENSED, sensed)
    async with broken.visit(f"{BOTH}&limit=1000") as visit:
        await shows(visit.page, COUNTED, "41")
        await shows(visit.page, SENSED, "7")
        # Data grows old while nothing else is heard.
        await visit.page.clock.install()
        between.tell(state(COUNTED, 42, age_s=990))
        await shows(visit.page, COUNTED, "42")


async def test_without_the_stream_there_are_no_figures_until_it_is_back(
    broken: Visitor, between: Between
) -> None:
    between.lots = [state(COUNTED, 41), state(SENSED, 7)]
    async with broken.visit("/", may_complain=True) as visit:
        page = visit.page
        await page.clock.install()
        await page.goto(between.url + BOTH)
        await shows(page, COUNTED, "41")
        between.is_broken = True
        between.cut()
        await page.clock.fast_forward(20_000)
        await shows(page, COUNTED, "41")
        await page.clock.fast_forward(12_000)
        await shows(page, COUNTED, "--", "之后没有新数据，正在重新连接", "No news since")
        await shows(page, SENSED, "--")
        await nothing_is_cut_off(page)
        await visit.picture("sign-stream-gone")
        between.is_broken = False
        between.lots[0] = state(COUNTED, 33)
        await page.clock.fast_forward(31_000)
        await shows(page, COUNTED, "33")


async def test_its_memory_stays_flat_over_ten_thousand_updates(
    broken: Visitor, between: Between
) -> None:
    between.lots = [state(COUNTED, 1), state(SENSED, 1)]
    async with broken.visit(BOTH) as visit:
        await shows(visit.page, COUNTED, "1")
        rounds = []
        for _ in range(ROUNDS):
            await _update(visit.page, between)
            rounds.append(await visit.memory())
    for name in ("nodes", "jsEventListeners"):
        assert rounds[-1][name] <= rounds[0][name]
    # What the browser compiles in some rounds is no leak: that would grow in each of them.
    growths = [after["usedSize"] - before["usedSize"] for before, after in pairwise(rounds)]
    assert min(growths) < MOST_GROWTH_BYTES, growths


async def _update(page: Page, between: Between) -> None:
    """Send updates, each with another figure, and see that they are shown."""
    for start in range(0, UPDATES, BATCH):
        batch = range(start, start + BATCH)
        between.tell(*(state((COUNTED, SENSED)[n % 2], n, version=str(n)) for n in batch))
        await shows(page, SENSED, str(start + BATCH - 1))
