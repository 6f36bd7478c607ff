"""What drivers are told by odd links, slow answers, and a platform that is long unheard of."""

from datetime import UTC, datetime

from playwright.async_api import Route, expect

from tests.parking_api.web.between import Between
from tests.parking_api.web.conftest import COUNTED, DESK, PHONE, Visitor, state
from tests.polling import until

AT = "at=120.3826,36.0671"
OTHER = "at=120.3300,36.0700"
NOTE_PENS = """
    window.pens = [];
    const { getContext } = OffscreenCanvas.prototype;
    OffscreenCanvas.prototype.getContext = function (kind, options) {
        if (kind === "2d" && this.width === 88) pens.push(options ?? null);
        return getContext.call(this, kind, options);
    };
"""
HOSTILE = "<img src=x onerror=alert(1)>" + "A" * 3000


async def test_odd_links_open_what_can_be_opened(visitor: Visitor) -> None:
    async with visitor.visit("about:blank", viewport=PHONE) as visit:
        page = visit.page

        async def at(fragment: str) -> None:
            await page.goto("about:blank")
            await page.goto(f"{visitor.url}/#{fragment}&lang=en")

        # Past the last instant that the browser knows, and past what has prices.
        for start in ("%2B275760-09-13T05:00", "1999-12-31T23:59", "2100-01-01T00:00", "NaN"):
            await at(f"{AT}&from={start}&for=43201&lot=NO+SUCH")
            await expect(page.locator(".row").first).to_be_visible()
            await expect(page.get_by_role("button", name="Arrival: now")).to_be_visible()
            await expect(page.get_by_role("button", name="Stay: 2 h")).to_be_visible()
        # A name is text, and short; the way back is in sight.
        await at(f"{AT}&name={HOSTILE}&name_en={HOSTILE}")
        await expect(page.locator("h2")).to_contain_text("<img src=x onerror=alert(1)>")
        await expect(page.get_by_role("button", name="Back")).to_be_in_viewport(ratio=1)
        assert await page.locator(".sheet").evaluate("it => it.scrollWidth <= it.clientWidth")
        # A time of another year is not told as today's; one that has passed is said to have.
        now = datetime.now(UTC)
        await at(f"{AT}&from={now.year + 1}{now:-%m-%d}T12:00")
        await expect(page.get_by_role("button", name=f"{now.year + 1} 12:00")).to_be_visible()
        await at(f"{AT}&from={now.year - 1}{now:-%m-%d}T00:00")
        await expect(
            page.get_by_role("button", name=f"{now.year - 1} 00:00 (past)")
        ).to_be_visible()


async def test_what_is_long_unheard_of_is_not_known_now(broken: Visitor, between: Between) -> None:
    """On the map, in its sums, in a list and on a lot's page, with nobody there to say so."""
    between.lots = [state(COUNTED, 40)]
    async with broken.visit("/", may_complain=True) as visit:
        page = visit.page
        await page.clock.install()
        await page.goto(f"{between.url}/#lot={COUNTED}&lang=en")
        figure = page.locator(".lot .large")
        await expect(figure).to_contain_text("40 free")
        # The false clock is at 0 while a page begins; what is told now is told at the right time.
        between.tell(state(COUNTED, 41))
        await expect(figure).to_contain_text("41 free")
        between.is_broken = True
        between.cut()
        await expect(page.get_by_text("No news since")).to_be_visible()
        await page.clock.fast_forward(120_000)
        await expect(figure).to_contain_text("41 free of 500")
        await page.clock.fast_forward(3 * 3_600_000)
        await expect(figure).to_contain_text("ago: not known now")
        await page.get_by_role("button", name="Back").click()
        await page.clock.fast_forward(11_000)
        await expect(page.get_by_text("0 free in the city")).to_be_visible()
        await expect(page.get_by_text("nothing known of 1 lots")).to_be_visible()
        between.is_broken = False
        between.lots = [state(COUNTED, 40)]
        await page.clock.fast_forward(31_000)
        await expect(page.get_by_text("40 free in the city")).to_be_visible()


async def test_closed_lots_have_no_free_spaces(broken: Visitor, between: Between) -> None:
    between.lots = [state(COUNTED, 41, status="closed")]
    async with broken.visit("about:blank") as visit:
        await visit.page.add_init_script(NOTE_PENS)
        await visit.page.goto(f"{between.url}/#lang=en")
        await expect(visit.page.get_by_text("0 free in the city")).to_be_visible()
        # What is drawn to be read is drawn by the processor: the first start waits for no other.
        await until(visit.marks, "marks on the map")
        pens = await visit.page.evaluate("pens")
        assert pens
        assert all(pen and pen.get("willReadFrequently") for pen in pens)


async def test_an_answer_that_is_slow_is_taken_for_no_other(visitor: Visitor) -> None:
    async with visitor.visit(f"/#{AT}&lang=en", viewport=DESK, may_complain=True) as visit:
        page = visit.page
        prices = page.locator(".row .price")
        await expect(prices.first).to_contain_text("for 2 h")
        held: list[Route] = []
        await page.route("**/v1/nearest*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright looks at it
        # The price of two hours is not told as that of twelve.
        await page.get_by_role("button", name="Stay: 2 h").click()
        await page.get_by_role("button", name="12 h").click()
        await until(lambda: _count(held, 1), "a question")
        await expect(prices.first).to_contain_text("for 2 h")
        await held.pop().abort()
        # No answer: what was known stays, and it is said.
        await expect(page.get_by_role("alert")).to_have_text("There was no answer.")
        await expect(prices.first).to_contain_text("for 2 h")
        # Lots of one place do not stand under the name of another.
        await page.evaluate(f"location.hash = '{OTHER}&lang=en&name=Elsewhere'")
        await expect(page.locator("h2")).to_have_text("Near Elsewhere")
        await expect(prices).to_have_count(0)
        # No answer is not "nothing is called so", and Enter waits for what is typed.
        await page.route("**/v1/places*", lambda route: route.abort())
        field = page.get_by_role("combobox")
        await field.fill("wsgc")
        await expect(page.locator(".found").get_by_role("alert")).to_be_visible()
        await page.unroute("**/v1/places*")
        await page.unroute("**/v1/nearest*")
        await field.fill("qingdao")
        await expect(page.get_by_role("option").first).to_be_visible()
        await field.fill("wsgc")
        await field.press("Enter")
        await expect(page.locator("h2")).to_have_text("Near May Fourth Square")
        # What was read aloud in one language is in the other.
        await expect(page.get_by_role("button", name="Zoom in")).to_be_visible()
        await page.get_by_role("button", name="中文").click()
        await expect(page.get_by_role("button", name="放大")).to_be_visible()


async def _count(held: list[Route], least: int) -> bool:
    return len(held) >= least


async def test_a_lots_page_is_asked_again(visitor: Visitor) -> None:
    async with visitor.visit("about:blank", may_complain=True) as visit:
        page = visit.page
        await page.route(
            f"**/v1/lots/{COUNTED}?*", lambda route: route.fulfill(status=503, json={})
        )
        await page.clock.install()
        await page.goto(f"{visitor.url}/#lot={COUNTED}&lang=en")
        await expect(page.get_by_text("There was no answer.")).to_be_visible()
        await page.unroute(f"**/v1/lots/{COUNTED}?*")
        await page.get_by_role("button", name="Try again").click()
        await expect(page.locator(".lot h2")).to_be_visible()
        # "Now" goes on, and so does the price: the open page asks for it anew.
        async with page.expect_request(f"**/v1/lots/{COUNTED}?*", timeout=45_000):
            await page.clock.fast_forward(31_000)
