"""The page for operations and operators: sign-in, what is wrong, what to do."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page, Route, expect

from deploy.figures import Figures
from tests.ingest_mqtt.running import publish
from tests.parking_api.people.keys import keyed
from tests.parking_api.processes import serving
from tests.parking_api.web.between import Between
from tests.parking_api.web.conftest import COUNTED, GATEWAY, PHONE, Site, Visitor, faults
from tests.polling import until
from tests.servers import Databases

WALL = {"width": 1440, "height": 900}
# Of the lots of the simulated city; the one that is silenced.
SIMULATED = "op-try"


@pytest.fixture(scope="module")
async def keys(city_url: str) -> dict[str, str]:
    """Keys of operations and of an operator."""
    at = datetime.now(UTC)
    given = {
        "operations": await keyed(city_url, "zhao", "operations", at=at),
        "operator": await keyed(city_url, "qian", "operator", operator_id=SIMULATED, at=at),
        # One that ends, which no key comes back from.
        "ending": await keyed(city_url, "zhou", "operations", at=at),
        "bureau": await keyed(city_url, "sun", "bureau_drafter", at=at),
    }
    return {name: headers["Authorization"].split()[1] for name, headers in given.items()}


@pytest.fixture
async def owner(databases: Databases, city_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the database's owner."""
    connection = await asyncpg.connect(databases.owner_url(city_url.rpartition("/")[2]))
    yield connection
    await connection.close()


async def sign_in(page: Page, key: str) -> None:
    """Show a key."""
    await page.locator("input[name=key]").fill(key)
    await page.locator("form button").click()
    await expect(page.locator("input[name=key]")).to_be_hidden()


async def refuse(site: Site, free: int) -> None:
    """Have the gateway send what is refused."""
    now = datetime.now(UTC)
    report: dict[str, Any] = {"epoch": int(now.timestamp()), "seq": 1, "free": free}
    report["observed_at"] = now.isoformat()
    topic = f"onelot/v1/feeds/{GATEWAY}/{COUNTED}/count"
    await publish(site.broker, topic, json.dumps(report).encode(), user=GATEWAY)


@pytest.mark.parametrize(("language", "locale"), [("zh", "zh-CN"), ("en", "en-GB")])
async def test_nothing_bars_anybody(
    visitor: Visitor, site: Site, keys: dict[str, str], language: str, locale: str
) -> None:
    await refuse(site, -1)
    async with visitor.visit("/operations", locale=locale, viewport=WALL) as visit:
        page = visit.page
        await expect(page.locator("input[name=key]")).to_be_visible()
        await expect(page.locator("svg.map circle").first).to_be_attached()
        assert await faults(page) == []
        await visit.picture(f"operations-sign-in-{language}")
        await sign_in(page, keys["operations"])
        await expect(page.locator(".row").first).to_be_visible()
        # In the language of the page.
        missing = {
            "zh": "5 个停车场（共 60 个）尚无消息。",
            "en": "5 of 60 lots have not been heard from yet.",
        }
        await expect(page.get_by_text(missing[language])).to_be_visible()
        assert await faults(page) == []
        await visit.picture(f"operations-wall-{language}")
        await page.locator(".row", has_text=GATEWAY).click()
        await expect(page.locator(".drawer pre").last).to_contain_text("curl")
        assert await faults(page) == []
        await visit.picture(f"operations-gateway-{language}")
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await page.locator(".drawer header button").click()
        assert await faults(page) == []
        await visit.picture(f"operations-phone-{language}")


async def test_a_gateway_that_is_silenced_comes_first(
    visitor: Visitor, keys: dict[str, str], owner: asyncpg.Connection
) -> None:
    found = await owner.fetchrow(
        "SELECT gateway_id, count(*) FROM lot WHERE gateway_id <> $1 AND retired_at IS NULL"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        GATEWAY,
    )
    assert found is not None
    gateway, lots = found
    async with visitor.visit("/operations", locale="en-GB", viewport=WALL) as visit:
        await sign_in(visit.page, keys["operations"])
        await expect(visit.page.locator(".row").first).to_be_visible()
        await owner.execute(
            "UPDATE lot_state SET observed_at = now() - interval '2 days',"
            " received_at = now() - interval '2 days' WHERE lot_id IN"
            " (SELECT lot_id FROM lot WHERE gateway_id = $1)",
            gateway,
        )
        first = visit.page.locator(".row").first
        await expect(first).to_contain_text(gateway, timeout=20_000)
        await expect(first).to_contain_text("silent")
        await expect(first).to_contain_text("2 d ago", timeout=20_000)
        await first.click()
        drawer = visit.page.locator(".drawer")
        await expect(drawer.locator(".lots li")).to_have_count(lots)
        await expect(drawer.get_by_text("power and network")).to_be_visible()
        link = drawer.locator(".lots a").first
        await expect(link).to_have_attribute("href", "/#lot=" + await first_lot(owner, gateway))
        # Beside the page: who is signed in stays so.
        async with visit.page.expect_popup() as beside:
            await link.click()
        await expect((await beside.value).locator(".lot h2")).to_be_visible()
        await expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
        await visit.picture("operations-silenced-en")


async def test_dots_of_the_map_lead_to_the_lot_and_its_gateway(
    visitor: Visitor, keys: dict[str, str], owner: asyncpg.Connection
) -> None:
    rows = await owner.fetch(
        "SELECT lot_id, gateway_id FROM lot_now WHERE data_state IN ('stale', 'unknown')"
    )
    lots: dict[str, str] = {row["lot_id"]: row["gateway_id"] for row in rows}
    async with visitor.visit("/operations", locale="en-GB", viewport=WALL) as visit:
        page = visit.page
        dots, drawer = page.locator("svg.map [role=button]"), page.locator(".drawer")
        await expect(page.locator("svg.map circle")).to_have_count(len(lots))
        # They lead nowhere before it is known who may look.
        await expect(dots).to_have_count(0)
        await sign_in(page, keys["operations"])
        await expect(dots).to_have_count(len(lots))
        await dots.last.click()
        gateway = await drawer.locator("h2").inner_text()
        chosen = drawer.locator(".lots [aria-current=true]")
        lot = (await chosen.locator("small").first.inner_text()).split(" ")[0]
        assert lots[lot] == gateway
        assert lot in (await drawer.locator("pre").last.inner_text())
        await expect(drawer.locator("h2")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(drawer).to_have_count(0)
        # All dots are one stop of the Tab key.
        await expect(page.locator("svg.map [tabindex='0']")).to_have_count(1)
        await dots.first.focus()
        await page.keyboard.press("ArrowRight")
        await expect(dots.nth(1)).to_be_focused()
        says = await dots.nth(1).get_attribute("aria-label") or ""
        await page.keyboard.press("Enter")
        assert f"(gateway {await drawer.locator('h2').inner_text()})" in says
        await page.keyboard.press("Escape")
        await expect(dots.nth(1)).to_be_focused()


async def test_a_row_says_how_many_spaces_its_trouble_hides(
    visitor: Visitor, keys: dict[str, str], owner: asyncpg.Connection
) -> None:
    found = await owner.fetchrow(
        "SELECT gateway_id, sum(capacity) FROM lot_now WHERE data_state = 'unknown' GROUP BY 1"
        " ORDER BY 2 DESC LIMIT 1"
    )
    assert found is not None
    gateway, spaces = found
    async with visitor.visit("/operations", locale="en-GB", viewport=WALL) as visit:
        await sign_in(visit.page, keys["operations"])
        first = visit.page.locator(".row").first
        await expect(first).to_contain_text(gateway)
        await expect(first).to_contain_text(f"hides {spaces:,} spaces")


async def test_the_last_hour_is_there_when_the_page_opens(
    visitor: Visitor, site: Site, keys: dict[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=site.api.url) as client:
        shown = {"Authorization": f"Bearer {keys['operations']}"}

        async def has_a_minute() -> bool:
            told = (await client.get("/v1/operations", headers=shown)).json()
            return told["observations_per_s"] is not None

        await until(has_a_minute)
    async with visitor.visit("/operations", locale="en-GB", viewport=WALL) as visit:
        page = visit.page
        # Not before somebody of operations looks.
        await expect(page.locator(".figures .value").first).to_have_text(re.compile("^[0-9]"))
        await expect(page.locator(".curve")).to_have_count(0)
        await sign_in(page, keys["operations"])
        for name in ("Age of the newest commit", "Observations a second", "Lots with live data"):
            card = page.locator(".figures .card", has_text=name)
            await expect(card.locator(".curve .line")).to_have_attribute("d", re.compile("^M"))
            await expect(card.locator(".value")).to_have_text(re.compile("^[0-9]"))
        # Nothing tells of programs here.
        restarts = page.locator(".figures .card", has_text="Restarts in the last hour")
        await expect(restarts).to_contain_text("not told here")


async def test_a_full_hour(visitor: Visitor, keys: dict[str, str]) -> None:
    async def fulfil(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        told["observations_per_s"] = 6120.4
        names = ("broker", "database", "ingester", "api-public", "api-office", "simulators")
        again = {"ingester": 2, "api-public": 1}
        told["programs"] = [
            {"name": name, "is_up": True, "restarts": again.get(name, 0)} for name in names
        ]
        told["last_hour"] |= {
            "commit_age_s": [None] * 8 + [2.1 + at % 3 for at in range(30)] + [41.0] + [2.4] * 21,
            "observations_per_s": [None] * 8 + [6000 + 90 * (at % 7) for at in range(52)],
            "lots_live": [None] * 8 + [60 - (at in range(20, 31)) * 14 for at in range(52)],
            "restarts": [None] * 8 + [2 * (at == 19) + (at == 40) for at in range(52)],
        }
        await route.fulfill(response=answer, json=told)

    async with visitor.visit("/operations", locale="zh-CN", viewport=WALL) as visit:
        await visit.page.route("**/v1/operations", fulfil)
        await sign_in(visit.page, keys["operations"])
        curves = visit.page.locator(".curve")
        await expect(curves).to_have_count(4)
        # What is not known is a gap, not 0.
        line = await curves.nth(2).locator(".line").get_attribute("d") or ""
        assert line.startswith("M32.5 ")
        assert await curves.nth(2).get_attribute("aria-label") == "最近一小时：46 至 60"
        bars = await curves.nth(3).locator(".line").get_attribute("d") or ""
        assert bars.count("M") == 2
        restarts = visit.page.locator(".figures .card", has_text="一小时内的重启")
        await expect(restarts.locator(".value")).to_have_text("3")
        await visit.picture("operations-hour-zh")


async def first_lot(owner: asyncpg.Connection, gateway: str) -> str:
    """The lot of a gateway that comes first."""
    found: str = await owner.fetchval("SELECT min(lot_id) FROM lot WHERE gateway_id = $1", gateway)
    return found


async def test_an_operator_sees_its_own_and_why_a_message_was_refused(
    visitor: Visitor, site: Site, keys: dict[str, str]
) -> None:
    await refuse(site, 1_000_000)
    async with visitor.visit("/operations", locale="zh-CN", viewport=WALL) as visit:
        page = visit.page
        await sign_in(page, keys["operator"])
        await expect(page.locator(".row")).to_have_count(1)
        await expect(page.locator(".row")).to_contain_text(GATEWAY)
        await page.locator(".row").click()
        reason = page.locator(".drawer summary", has_text="车位号或空位数超出登记的车位")
        await reason.click()
        await expect(page.locator(".drawer details[open] pre")).to_contain_text("1000000")
        push = page.locator(".drawer pre").last
        await expect(push).to_contain_text(f"{site.api.url}/v1/feeds/{GATEWAY}/3702")
        await visit.picture("operations-operator-zh")


async def test_the_key_is_kept_nowhere_and_the_session_ends(
    visitor: Visitor, keys: dict[str, str], owner: asyncpg.Connection
) -> None:
    async with visitor.visit("/operations", locale="en-GB", may_complain=True) as visit:
        page = visit.page
        await page.locator("input[name=key]").fill("ok_000000000000_" + "0" * 43)
        await page.locator("form button").click()
        await expect(page.get_by_text("unknown, revoked or expired")).to_be_visible()
        await sign_in(page, keys["ending"])
        await expect(page.locator(".row").first).to_be_visible()
        kept = await page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,"
            " location.href, document.documentElement.outerHTML])"
        )
        assert "ok_" not in kept
        assert "ot_" not in kept
        # Whatever ends the token ends the session.
        await owner.execute("UPDATE api_key SET revoked_at = now() WHERE person_id = 'zhou'")
        await expect(page.get_by_text("The session ended at")).to_be_visible(timeout=20_000)
        await expect(page.locator(".row")).to_have_count(0)


async def test_before_the_session_ends_it_asks_for_the_key(
    visitor: Visitor, keys: dict[str, str]
) -> None:
    async with visitor.visit("/operations", locale="en-GB", may_complain=True) as visit:
        page = visit.page
        await page.clock.install()
        await page.reload()
        await sign_in(page, keys["operations"])
        await page.clock.fast_forward("14:00")
        await expect(page.get_by_text("The session ends at")).to_be_visible()
        # What was asked before those minutes has waited too long for an answer: it is asked again.
        await expect(page.locator(".row").first).to_be_visible(timeout=20_000)
        await visit.picture("operations-ends-soon-en")


async def test_who_may_not_see_feeds_is_told(visitor: Visitor, keys: dict[str, str]) -> None:
    async with visitor.visit("/operations", locale="en-GB") as visit:
        await sign_in(visit.page, keys["bureau"])
        await expect(visit.page.get_by_text("This key may not see gateways")).to_be_visible()


async def test_where_nothing_is_wrong_it_says_so_large(
    visitor: Visitor, site: Site, keys: dict[str, str]
) -> None:
    async with visitor.visit("/operations", locale="en-GB", viewport=WALL) as visit:
        async with httpx.AsyncClient(base_url=site.api.url) as client:
            shown = {"Authorization": f"Bearer {keys['operations']}"}
            feeds = (await client.get("/v1/feeds", headers=shown)).json()
            condition = (await client.get("/v1/operations", headers=shown)).json()
        for feed in feeds["items"]:
            feed |= {"unknown": 0, "stale": 0, "dead_letters_24h": 0, "live": feed["lots"]}
            feed |= {"hidden_spaces": 0, "lots_not_live": []}
        await visit.page.route(
            "**/v1/feeds?*", lambda route: route.fulfill(json={**feeds, "next": None})
        )
        condition |= {"missing": [], "detail": None, "lots_live": condition["lots"]}
        condition |= {"observations_per_s": 0.0}

        async def told(route: Route) -> None:
            await route.fulfill(json=condition | {"as_of": datetime.now(UTC).isoformat()})

        await visit.page.route("**/v1/operations", told)
        await visit.page.route(
            "**/v1/dead-letters?*", lambda route: route.fulfill(json={"items": [], "next": None})
        )
        await sign_in(visit.page, keys["operations"])
        nothing = visit.page.get_by_text("Nothing is wrong", exact=True)
        # No trouble is named, but nothing comes in.
        await expect(visit.page.locator(".others")).to_be_visible()
        await expect(nothing).to_have_count(0)
        condition |= {"observations_per_s": 120.0}
        await expect(nothing).to_be_visible(timeout=15_000)
        await visit.picture("operations-nothing-en")


async def test_a_broken_stream_is_told(broken: Visitor, between: Between) -> None:
    async with broken.visit("/operations", locale="en-GB", may_complain=True) as visit:
        await expect(visit.page.locator("svg.map")).to_be_visible()
        between.is_broken = True
        between.cut()
        await expect(visit.page.get_by_text("No news since")).to_be_visible()


async def test_it_says_which_program_is_down(
    built: Path, city_url: str, browser: Browser, keys: dict[str, str], tmp_path: Path
) -> None:
    del built
    figures = tmp_path / "run.prom"
    Figures({"ingester": 3, "broker": 0}, {"ingester": 4.0}, 0, is_audit_sealed=True).write(figures)
    with serving(city_url, API_RUN_FIGURES=str(figures)) as api:
        async with Visitor(browser, api.url).visit("/operations", locale="en-GB") as visit:
            page = visit.page
            await sign_in(page, keys["operations"])
            programs = page.locator(".programs li")
            await expect(programs).to_have_text(
                ["ingester down, starts again soon · restarted 3 times", "broker up"]
            )
            # An ingester that is not heard tells no observations: a dash with its reason.
            observations = page.locator(".figures .card", has_text="Observations a second")
            await expect(observations).to_contain_text("not known now")
            # With a program down nothing is well, whatever feeds say.
            await expect(page.get_by_text("Nothing is wrong", exact=True)).to_have_count(0)
            await visit.picture("operations-program-down-en")
