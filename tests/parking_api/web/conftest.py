"""The pages in a real browser: the distribution's Chromium, and the API of a simulated city."""

import asyncio
import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from deploy.accounts import program
from deploy.ports import any_free
from parking_api.command_line import connected
from parking_api.importing.service import import_city
from parking_api.web.files import BUILT
from tests.ingest_mqtt.running import Ingester, publish
from tests.parking_api.builders import Builder, bits
from tests.parking_api.import_files import SILENT
from tests.parking_api.processes import Api, serving
from tests.parking_api.web.between import Between
from tests.polling import until
from tests.servers import Broker, Databases

ROOT: Final = Path(__file__).resolve().parents[3]
REPORTS: Final = ROOT / "var/reports/pages"
AXE: Final = ROOT / "parking_api/web/node_modules/axe-core/axe.min.js"
LOTS: Final = 60
GATEWAY: Final = "gw-try"
# Registered by the simulated city for whoever wants to try: one that counts, and one whose bays are
# sensed, near a square.
COUNTED: Final = "370202-0002"
SENSED: Final = "370202-0001"
PHONE: Final = {"width": 390, "height": 844}
DESK: Final = {"width": 1280, "height": 800}
# Without a graphics card the map is drawn by the processor.
CHROMIUM: Final = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="session")
def built() -> Path:
    """Where the pages are, as `make setup` builds them; quick where it has."""
    done = subprocess.run(
        ["bash", ROOT / "deploy/pages.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return BUILT


@pytest.fixture(scope="session")
async def city_template(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database into which a simulated city has been imported."""
    directory = tmp_path_factory.mktemp("city") / "files"
    make = [sys.executable, "-m", "simulators", "city", str(directory), "--lots", str(LOTS)]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    url = await databases.create()
    async with connected(url, "test") as db:
        await import_city(db, directory, at=datetime.now(UTC), steps=SILENT)
    return url.rpartition("/")[2]


@pytest.fixture(scope="module")
async def city_url(databases: Databases, city_template: str) -> AsyncIterator[str]:
    """A database of a simulated city with lots that are free, filling, full, old and unknown."""
    url = await databases.create(city_template)
    connection = await asyncpg.connect(databases.owner_url(url.rpartition("/")[2]))
    await _report_all(Builder(connection))
    await connection.close()
    yield url
    await databases.drop(url)


async def _report_all(builder: Builder) -> None:
    lots = await builder.connection.fetch(
        "SELECT lot_id, reporting, capacity FROM lot ORDER BY lot_id"
    )
    for place, (lot_id, reporting, capacity) in enumerate(lots):
        if place % 11 == 10:
            continue
        free = (0, capacity // 10, capacity // 2, capacity // 3)[place % 4]
        age = {"age_s": 4000 if place % 9 == 8 else 30}
        if reporting == "bays":
            taken = list(range(1, 1 + capacity - free))
            await builder.report_bays(lot_id, capacity, taken, [], **age)
        else:
            await builder.report(lot_id, free, capacity=capacity, **age)


@dataclass(frozen=True)
class Site:
    """The API of that city, and the way of its reports: broker and ingester."""

    api: Api
    broker: Broker


@pytest.fixture(scope="module")
async def site(
    built: Path, city_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """The API over the simulated city, whose gateway `gw-try` may report."""
    del built
    directory = tmp_path_factory.mktemp("site")
    broker = Broker(directory / "broker", any_free())
    broker.start()
    broker.add_users(GATEWAY)
    log = directory / "ingester.log"
    try:
        async with Ingester.running(city_url, broker.platform_ingest, log):
            with serving(city_url, API_MQTT_URL=broker.platform_api) as api:
                yield Site(api, broker)
    finally:
        broker.stop()


async def report_count(site: Site, free: int) -> None:
    """Have the gateway report how many spaces of `COUNTED` are free; another number each time."""
    now = time.time()
    report = {
        "epoch": int(now),
        "seq": free + 1,
        "observed_at": datetime.fromtimestamp(now, UTC).isoformat(),
        "free": free,
    }
    topic = f"onelot/v1/feeds/{GATEWAY}/{COUNTED}/count"
    await publish(site.broker, topic, json.dumps(report).encode(), user=GATEWAY)


async def report_bays(site: Site, capacity: int, *, are_free: bool) -> None:
    """Have the gateway report that all bays of `SENSED` are free, or none is."""
    now = time.time()
    report = {
        "epoch": int(now),
        "seq": 1 + int(now % 1 * 1000),
        "observed_at": datetime.fromtimestamp(now, UTC).isoformat(),
        "capacity": capacity,
        "occupied_bits": b64encode(
            bits([] if are_free else list(range(1, capacity + 1)), capacity)
        ).decode(),
    }
    topic = f"onelot/v1/feeds/{GATEWAY}/{SENSED}/snapshot"
    await publish(site.broker, topic, json.dumps(report).encode(), user=GATEWAY)


def state(lot_id: str, free: int | None, *, age_s: int = 5, **fields: Any) -> dict[str, Any]:
    """A state as the stream tells it."""
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return {
        "lot_id": lot_id,
        "location": {"type": "Point", "coordinates": [120.38, 36.06]},
        "capacity": 500,
        "free_spaces": free,
        "unknown_spaces": 0,
        "status": "open",
        "data_state": "live",
        "observed_at": at.isoformat(),
        "version": "1",
    } | fields


@asynccontextmanager
async def database_away(databases: Databases, url: str) -> AsyncIterator[None]:
    """Cut all connections to a database, and let nobody in, for the time of the context."""
    name = url.rpartition("/")[2]
    superuser = await asyncpg.connect(databases.cluster.url("postgres"))
    await superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await superuser.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium; each visit has a context of its own."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=program("chromium"), args=CHROMIUM
        )
        yield started
        await started.close()


@dataclass
class Visit:
    """An open page, and what it complained of."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    async def marks(self) -> int:
        """How many marks of lots, and of sums of lots, the map shows; 0 while it moves."""
        return int(await self.page.locator(".map").get_attribute("data-marks") or 0)

    async def bays(self) -> int:
        """How many bays the map shows."""
        return int(await self.page.locator(".map").get_attribute("data-bays") or 0)

    async def free_bays(self) -> int:
        """How many of them are free."""
        return int(await self.page.locator(".map").get_attribute("data-free-bays") or 0)

    async def come_closer(self) -> None:
        """Enlarge the map until it shows bays."""

        async def has_bays() -> int:
            if await self.marks() and not await self.bays():
                await self.page.get_by_role("button", name="放大").click()
            return await self.bays()

        await until(has_bays, "bays on the map")

    async def memory(self) -> dict[str, int]:
        """Bytes of the heap, nodes and listeners, once nothing is kept that need not be."""
        devtools = await self.page.context.new_cdp_session(self.page)
        await devtools.send("HeapProfiler.collectGarbage")
        heap = await devtools.send("Runtime.getHeapUsage")
        counters = await devtools.send("Memory.getDOMCounters")
        await devtools.detach()
        return {**heap, **counters}

    async def picture(self, name: str) -> None:
        """Keep how the page looks, for people."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=REPORTS / f"{name}.png")

    def listen(self) -> None:
        """Note errors, and requests to other hosts."""
        own = urlsplit(self.url).netloc

        def on_line(line: ConsoleMessage) -> None:
            if line.type in ("error", "warning"):
                self.complaints.append(line.text)

        def on_request(asked: Request) -> None:
            if urlsplit(asked.url).netloc not in (own, ""):
                self.complaints.append(asked.url)

        self.page.on("console", on_line)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", on_request)


async def faults(page: Page) -> list[str]:
    """What bars people from a page, by axe: its serious and critical findings."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run()")
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


class Visitor:
    """Opens the pages of a site, each for a person of its own."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url

    @asynccontextmanager
    async def visit(
        self, path: str = "/", *, may_complain: bool = False, **context: Any
    ) -> AsyncIterator[Visit]:
        """Open a page; at the end it has had nothing to complain of, unless it may.

        Args:
            path: With query and fragment.
            may_complain: Whether something is amiss on purpose.
            context: As Playwright's `new_context`: `viewport`, `locale`, `color_scheme`, ...
        """
        given: dict[str, Any] = {"viewport": DESK, "locale": "zh-CN", "reduced_motion": "reduce"}
        opened = await self._browser.new_context(**given | context)
        try:
            page = await opened.new_page()
            found = Visit(page, self.url)
            found.listen()
            await page.goto(path if path == "about:blank" else self.url + path)
            yield found
            assert may_complain or found.complaints == []
        finally:
            await opened.close()


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Visitor:
    """Opens the pages of the site."""
    return Visitor(browser, site.api.url)


@pytest.fixture
async def between(site: Site) -> AsyncIterator[Between]:
    """Tells the stream of the site in its place."""
    async with Between.running(site.api.port) as made:
        yield made


@pytest.fixture
def broken(browser: Browser, between: Between) -> Visitor:
    """Opens the pages by `between`."""
    return Visitor(browser, between.url)
