"""How soon the open map shows a change, and what a busy stream costs it, in a real browser.

A lot is open beside the map of the whole city. Its gateway reports marked changes over MQTT, each
with another number of free spaces than the one before. The page itself notes, by the clock of the
machine, when the number on the screen has changed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from statistics import median
from time import perf_counter
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from load_tests.bench.asking import BenchError, program
from load_tests.bench.city import City
from load_tests.bench.results import Goal, Part, figure
from load_tests.machine import Usage
from load_tests.plan import Mix, Plan
from load_tests.publisher import Publisher
from load_tests.samples import Recorder, percentiles
from load_tests.stages import Session, engine
from load_tests.watching import Counters
from simulators.feeds import rfc3339

_LEAST_CHANGES: Final = 5
_LONGEST_S: Final = 600.0
_WITHIN_S: Final = 20.0
_END_WITHIN_S: Final = 30.0
_BAYS: Final = 10
# Changes do not keep step with the stream, whose readers are told once a second.
_LONGEST_PAUSE_S: Final = 1.0
_DESK: Final[Any] = {"width": 1280, "height": 800}
# As tests open it: without a graphics card the map is drawn by the processor.
_FLAGS: Final = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
_MARKS: Final = "() => Number(document.querySelector('.map')?.dataset.marks) > 0"
# What is shown of the open lot and since when, and tasks of more than 50 ms.
_WATCH: Final = """
    window.watched = { shown: [], tasks: [] };
    let last = null;
    new MutationObserver(() => {
        const figure = document.querySelector(".lot .figure b")?.textContent ?? null;
        if (figure !== last) watched.shown.push([Date.now(), last = figure]);
    }).observe(document, { subtree: true, childList: true, characterData: true });
    new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) {
            watched.tasks.push([performance.timeOrigin + startTime, duration]);
        }
    }).observe({ type: "longtask", buffered: true });
"""
_SHOWN: Final = """
    ([figure, since]) => watched.shown.find(([at, each]) => at >= since && each === figure)?.[0]
"""


def pages(city: City) -> Part:
    """Measure how soon the map is there and shows changes, its longest tasks and its memory."""
    part = Part("pages")
    with _chromium() as browser:
        opened = [_opened_ms(browser, city.target.http) for _ in range(city.rounds)]
    part.figures.append(
        figure(
            "page_opened",
            "the map of the city is there",
            opened,
            unit="ms",
            goal=Goal(2000, is_most=True),
            note="a browser without a cache; from the request to marks on the map",
        )
    )
    # A browser is gone before the simulator is waited for: each has an event loop.
    with city.simulator_aside(), _chromium() as browser:
        _busy(city, browser, part)
    return part


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def _visit(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=_DESK, locale="en-GB", reduced_motion="reduce")
    context.add_init_script(_WATCH)
    yield context.new_page()
    context.close()


def _opened_ms(browser: Browser, url: str) -> float:
    with _visit(browser) as page:
        began_s = perf_counter()
        page.goto(url)
        page.wait_for_function(_MARKS, polling=20)
        return (perf_counter() - began_s) * 1000


def _busy(city: City, browser: Browser, part: Part) -> None:
    """Have all gateways report again and again, and one of them marked changes."""
    session = Session(
        city.target, tuple(city.lots), city.reports, drives_all=True, seed=1, warm_up_s=1.0
    )
    mix = Mix(observations_per_s=city.observations_per_s, bays_per_message=_BAYS, count_share=0.05)
    plan = session.plan(mix, _LONGEST_S, session.operators())
    gateway, lot = session.marked()
    marked = session.plan(mix, _LONGEST_S, [replace(gateway, lots=(lot.lot_id,))])
    changes = max(round(city.rounds * city.seconds), _LEAST_CHANGES)
    with engine("publisher", plan, city.reports / "pages") as publisher, _visit(browser) as page:
        publisher.send()
        page.goto(f"{city.target.http}/#lot={lot.lot_id}&lang=en")
        page.wait_for_function(_MARKS, polling=50)
        devtools = page.context.new_cdp_session(page)
        before, used = Counters.read(city.target.metrics), Usage.now(city.target.processes)
        before_mb, since_ms = _heap_mb(devtools), time.time() * 1000
        late = _changes(marked, page, changes)
        tasks = [ms for at, ms in page.evaluate("watched.tasks") if at >= since_ms]
        heap = _heap_mb(devtools)
        done = Counters.read(city.target.metrics).since(before)
        cores = Usage.now(city.target.processes).cores_since(used)
        publisher.send()
        publisher.finish(_END_WITHIN_S)
    p50, p95, p99 = percentiles(late)
    around = f"beside {done.observations_per_s:,.0f} observations/s"
    note = f"p50 {p50:.0f}, p95 {p95:.0f}; {len(late)} changes; {around}"
    part.figures += [
        figure(
            *("shown_p99", "from MQTT to the open map, p99", [p99]),
            unit="ms",
            goal=Goal(1000, is_most=True),
            note=note,
        ),
        figure(
            *("longest_task", "longest task of the main thread", [max(tasks, default=50.0)]),
            unit="ms",
            goal=Goal(100, is_most=True),
            note=f"{len(tasks)} tasks of more than 50 ms; {around}",
        ),
        figure(
            "heap", "heap of the page, after", [heap], unit="MB", note=f"{heap - before_mb:+.2f} MB"
        ),
    ]
    shares = ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
    part.notes.append(f"meanwhile, cores: {shares}")
    part.runs.append({"shown_ms": late, "tasks_ms": tasks, "median_ms": median(late)})


def _changes(plan: Plan, page: Page, changes: int) -> list[float]:
    """Send changes, each when the one before is shown; return how late each was shown, in ms.

    Raises:
        BenchError: One is not shown in time.
    """
    (gateway,) = plan.gateways
    (lot,) = plan.lots_of(gateway)
    random = Random(plan.seed)  # noqa: S311 - load, no secret
    publisher = Publisher(plan, gateway, Recorder(), "marked")
    late = []
    try:
        publisher.open(perf_counter() + _WITHIN_S)
        for _ in range(changes):
            time.sleep(random.uniform(0.0, _LONGEST_PAUSE_S))
            sent_ms, feed = time.time() * 1000, publisher.feed
            at = rfc3339(datetime.fromtimestamp(sent_ms / 1000, UTC))
            message = feed.toggle(lot.lot_id, random.randint(1, lot.capacity), at, perf_counter())
            publisher.publish(message)
            figure_shown = f"{feed.free_spaces(lot.lot_id):,}"
            found = page.wait_for_function(
                _SHOWN, arg=[figure_shown, sent_ms], polling=20, timeout=_WITHIN_S * 1000
            )
            late.append(found.json_value() - sent_ms)
    except BrowserError as error:
        raise BenchError(f"a change is not shown: {error}") from error
    finally:
        publisher.close(perf_counter() + _WITHIN_S)
    return late


def _heap_mb(devtools: CDPSession) -> float:
    """Return what is left on the heap once nothing is kept that need not be."""
    devtools.send("HeapProfiler.collectGarbage")
    used: float = devtools.send("Runtime.getHeapUsage")["usedSize"]
    return used / 1e6
