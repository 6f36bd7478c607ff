"""What drivers hear of the platform: closures and prices, and nothing new while it is away."""

from datetime import date, datetime
from typing import Any

import httpx
import pytest

from simulators.fleet import CITY_TIMEZONE, Fleet, FleetSettings
from simulators.platform import Asking, Platform
from simulators.registry import Broker, Credentials
from simulators.run_command import add_arguments
from simulators.world import World
from tests.simulators.demand.cities import STILL, lot, parameters

NOW = datetime(2026, 11, 24, 11, tzinfo=CITY_TIMEZONE)  # a Tuesday
BASE = date(2026, 11, 20)  # a Friday; the Tuesday of the week up to it is the 17th
HERE = {"longitude": 120.38, "latitude": 36.06}
LOTS = [lot("a", 300, "office", **HERE), lot("b", 300, "office", **HERE), lot("c", 300, "mall")]


class Answers:
    """A platform that says what it is told to; pages of two lots."""

    def __init__(self) -> None:
        self.closed: dict[str, str | None] = {}
        self.prices: dict[str, dict[str, int | None]] = {
            "2026-11-17": {"a": 400, "b": 400, "c": 0},
            "2026-11-24": {},
        }
        self.fault: Any = None
        self.asked: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if isinstance(self.fault, Exception):
            raise self.fault
        if isinstance(self.fault, httpx.Response):
            return self.fault
        parameters = dict(request.url.params)
        if parameters.get("status") == "closed":
            # One that is closed by its hours says nothing of a closure.
            items: list[Any] = [{"lot_id": "c", "status": "closed", "quote": None}]
            items += [{"lot_id": n, "closed_until": until} for n, until in self.closed.items()]
        else:
            day = parameters["at"][:10]
            assert parameters["at"][10:] == "T10:00:00+08:00"
            prices = self.prices["2026-11-17"] | self.prices[day]
            items = [
                {"lot_id": n, "quote": None if p is None else {"total_minor": p}}
                for n, p in prices.items()
            ]
        first = int(parameters.get("cursor", 0))
        follows = str(request.url.copy_merge_params({"cursor": str(first + 2)}).raw_path, "ascii")
        page = {"items": items[first : first + 2], "next": follows if items[first + 2 :] else None}
        return httpx.Response(200, json=page)


class Told:
    """A world that only listens."""

    closed: Any = None
    prices: Any = None

    def tell_closed(self, lot_ids: Any) -> None:
        self.closed = frozenset(lot_ids)

    def tell_prices(self, relative: Any, elasticity: float) -> None:
        self.prices = dict(relative), elasticity


def platform(answers: Answers, world: Any, base: date | None = BASE) -> Platform:
    asking = Asking("http://platform", base, -0.5)
    return Platform(asking, world, lambda: NOW, httpx.MockTransport(answers))


async def test_closures_are_heard_and_hours_are_none() -> None:
    answers, world = Answers(), Told()
    heard = platform(answers, world, None)
    answers.closed = {"a": "2026-11-25T06:00:00+08:00", "b": None}
    await heard.ask(prices=True)
    assert world.closed == {"a", "b"}
    assert world.prices is None
    assert heard.figures() == {"platform": "heard", "closed": 2}
    answers.closed = {}
    await heard.ask(prices=True)
    assert world.closed == frozenset()
    assert all(url.params["status"] == "closed" for url in answers.asked)


async def test_prices_are_those_of_today_over_those_of_the_same_weekday_then() -> None:
    answers, world = Answers(), Told()
    heard = platform(answers, world)
    await heard.ask(prices=True)
    assert world.prices == ({"a": 1.0, "b": 1.0, "c": 1.0}, -0.5)
    answers.prices["2026-11-24"] = {"a": 600, "b": None, "c": 900}
    await heard.ask(prices=False)
    assert world.prices[0]["a"] == 1.0
    await heard.ask(prices=True)
    assert world.prices == ({"a": 1.5, "c": 10.0}, -0.5)
    assert heard.figures() == {"platform": "heard", "closed": 0, "priced": 2, "price_changed": 2}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.Response(503, json={"title": "away"}), "503"),
        (httpx.Response(200, content=b"<html>"), "JSON"),
        (httpx.Response(200, json={"items": [{"lot_id": 1}], "next": None}), "lot_id"),
        (httpx.Response(200, json={"items": [], "next": "/v1/lots?limit=1"}), "pages"),
    ],
)
async def test_while_it_is_away_its_last_holds_and_that_is_said(fault: Any, said: str) -> None:
    answers, world = Answers(), Told()
    heard = platform(answers, world)
    answers.closed = {"a": None}
    answers.prices["2026-11-24"] = {"a": 600}
    await heard.ask(prices=True)
    before = world.closed, world.prices
    if isinstance(fault, httpx.Response):
        fault.request = httpx.Request("GET", "http://platform/v1/lots")
    answers.fault = fault
    await heard.ask(prices=True)
    assert (world.closed, world.prices) == before
    told = str(heard.figures()["platform"])
    assert "closures: " in told
    assert "prices: " in told
    assert said in told
    answers.fault = None
    answers.prices["2026-11-24"] = {}
    # What was missed is asked for at the next turn.
    await heard.ask(prices=False)
    assert heard.figures()["platform"] == "heard"
    assert world.prices[0]["a"] == 1.0


def fleet() -> Fleet:
    entry = Credentials("gw-a", "secret", tuple(each.lot_id for each in LOTS))
    settings = FleetSettings(start_at=NOW, seed=3)
    clock = [0.0]
    return Fleet(Broker("nowhere", 1), LOTS, {"gw-a": entry}, settings, clock=lambda: clock[0])


def lived(world: World, minutes: int) -> list[int]:
    end_s = world.simulated_s + minutes * 60
    world.advance_to(end_s)
    return [int(n) for n in world.free_spaces()]


async def test_a_lot_that_the_platform_closes_empties_and_a_dear_one_loses_drivers() -> None:
    answers = Answers()
    plain, priced, same = fleet().world, fleet().world, fleet().world
    await platform(answers, same).ask(prices=True)
    answers.closed = {"a": None}
    answers.prices["2026-11-24"] = {"c": 2_000}
    await platform(answers, priced).ask(prices=True)
    before, after, unchanged = (lived(world, 60) for world in (plain, priced, same))
    assert unchanged == before
    assert before[0] < 290
    assert after[0] == 300
    assert after[2] > before[2] + 10
    assert priced.turned_away()["sent_out"] > 5
    assert priced.turned_away()["met_closed"] > 0
    # What holds goes on to hold after a jump.
    priced.jump_to(priced.simulated_s + 7_200)
    assert lived(priced, 60)[0] == 300


def test_prices_lower_or_raise_demand_by_the_elasticity() -> None:
    from simulators.demand.flow import Flow  # noqa: PLC0415

    known = parameters("office", peak={"mean": 0.5, "sd": 0}, **STILL)
    lots = [lot(f"l-{n}", 300, "office") for n in range(60)]
    present = []
    for relative in (1.0, 2.0):
        flow = Flow(lots, NOW.timestamp(), seed=1, utc_offset_s=28_800, parameters=known)
        flow.tell_prices({each.lot_id: relative for each in lots}, -0.4)
        flow.advance_to(NOW.timestamp() + 86_400)
        present.append(flow.present.sum())
    assert present[1] / present[0] == pytest.approx(2**-0.4, abs=0.06)


@pytest.mark.parametrize("value", ["0.1", "-4", "nan", "much"])
def test_an_elasticity_that_cannot_be_is_refused(value: str, capsys: Any) -> None:
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--city", "x", f"--elasticity={value}"])
    assert "--elasticity" in capsys.readouterr().err
