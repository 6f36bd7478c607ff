"""Quotes: itemised, the same bytes for the same version, every refusal a kind of its own."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from parking_api.quotes import queries
from pricing import content_hash
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, class_1_road, document, person, problem
from tests.polling import until

JSON = {"Content-Type": "application/json"}
ENTRY = "2026-12-10T10:00:00+08:00"


@pytest.fixture
async def priced(bureau: Bureau) -> Bureau:
    """The street has Qingdao's class 1 tariff, the garage one that tells vehicles apart."""
    await bureau.published(document=class_1_road("t-1"))
    vehicles = {"small": {}, "large": {"multiplier": 2}}
    await bureau.published(
        document=document("t-2", 200, vehicles=vehicles, entitlements=[{"id": "nev"}]),
        applies_to={"zones": ["z-1"], "lot_types": ["underground"]},
    )
    return bureau


async def ask(bureau: Bureau, **stay: Any) -> httpx.Response:
    given = {"lot_id": "street", "entry": ENTRY, "exit": "2026-12-10T12:10:00+08:00"} | stay
    asked = {name: value for name, value in given.items() if value is not None}
    # A document is priced for the bureau alone.
    headers = bureau.drafter if "document" in asked else None
    return await bureau.api.post("/v1/quotes", json=asked, headers=headers)


async def test_a_quote_is_itemised(priced: Bureau) -> None:
    told = (
        await ask(priced, entry="2027-06-10T10:00:00+08:00", exit="2027-06-10T12:10:00+08:00")
    ).json()

    assert (told["total_minor"], told["currency"]) == (1900, "CNY")
    assert (told["tariff_id"], told["version"]) == ("t-1", 1)
    assert told["hash"] == content_hash(class_1_road("t-1"))
    assert told["entry"] == told["lines"][0]["start"] == "2027-06-10T10:00:00+08:00"
    assert told["exit"] == told["lines"][-1]["end"] == "2027-06-10T12:10:00+08:00"
    assert sum(line["amount_minor"] for line in told["lines"]) == 1900
    for line, following in zip(told["lines"], told["lines"][1:], strict=False):
        assert line["end"] == following["start"]
    assert "3.50元" in told["lines"][0]["text"]["zh"]
    assert told["lines"][0]["period_id"] == "day-peak"


async def test_the_same_version_gives_the_same_bytes(priced: Bureau) -> None:
    first = await ask(priced, version=1)
    priced.clock.now += timedelta(days=90)
    second = await priced.version("t-1", document=class_1_road("t-1") | {"grace": {"mode": "none"}})
    await priced.act(second, "publish", priced.approver)
    await priced.post(
        "/v1/price-controls",
        priced.drafter,
        price_control_id="c-1",
        legal_reference={"zh": "文", "en": "text"},
        base_minor=1,
        valid_from=ENTRY,
    )
    priced.clock.now += timedelta(days=365)

    assert (await ask(priced, version=1)).content == first.content
    assert (await ask(priced)).content == first.content


async def test_the_document_of_a_version_is_read_once(
    priced: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, int]] = []
    read_versions = queries.versions

    async def noting(db: Db, **known: Any) -> list[queries.StoredVersion]:
        found = await read_versions(db, **known)
        read.extend((each.tariff_id, each.version) for each in found)
        return found

    monkeypatch.setattr(queries, "versions", noting)
    own = {"zones": [], "lot_types": [], "lots": ["outside"]}
    await priced.published(document=document("t-3"), applies_to=own)
    again = await priced.version("t-1", document=class_1_road("t-1") | {"grace": {"mode": "none"}})
    priced.clock.now += timedelta(minutes=1)
    await priced.act(again, "publish", priced.approver)
    assert read == [("t-3", 1), ("t-1", 2)]
    assert (await ask(priced, lot_id="outside")).json()["tariff_id"] == "t-3"
    assert (await ask(priced)).json()["version"] == 2


async def test_it_says_where_holidays_to_come_may_change_it(priced: Bureau) -> None:
    """1 October 2027 is a Friday until the calendar of 2027 says that it is a holiday."""
    workday, other = (
        {"id": name, "days": days}
        for name, days in (("workday", ["workday"]), ("other", ["weekend", "holiday"]))
    )
    whole = document()["periods"][0]
    cheap = whole | other | {"tiers": [{"from_s": 0, "price_minor": 100}]}
    given = document(periods=[whole | workday, cheap])
    stay: dict[str, Any] = {
        "lot_id": None,
        "document": given,
        "entry": "2027-10-01T10:00:00+08:00",
        "exit": "2027-10-01T10:30:00+08:00",
    }
    before = (await ask(priced, **stay)).json()
    await priced.publish_year(2027, holidays=["2027-10-01"])
    after = (await ask(priced, **stay)).json()

    assert (before["total_minor"], before["provisional"]) == (300, True)
    assert (after["total_minor"], after["provisional"]) == (100, False)
    # Where no day is told from another, no holiday matters.
    assert (await ask(priced)).json()["provisional"] is False
    own = given | {"calendar": {"holidays": [], "makeup_workdays": []}}
    assert (await ask(priced, **stay | {"document": own})).json()["provisional"] is False


async def test_a_version_that_is_not_in_force(priced: Bureau) -> None:
    second = await priced.version("t-1", document=class_1_road("t-1") | {"grace": {"mode": "none"}})
    await priced.act(
        second, "schedule", priced.approver, effective_from="2027-01-01T00:00:00+08:00"
    )

    told = problem(await ask(priced, version=2), 409, "version-not-in-force")

    assert "version 1 is" in told["detail"]
    assert told["errors"][0]["parameter"] == "version"
    later = "2027-01-01T00:00:00+08:00", "2027-01-01T01:00:00+08:00"
    assert (await ask(priced, version=2, entry=later[0], exit=later[1])).json()["version"] == 2
    problem(
        await ask(priced, version=1, entry=later[0], exit=later[1]), 409, "version-not-in-force"
    )


@pytest.mark.parametrize(
    ("stay", "status", "kind"),
    [
        ({"exit": "2026-12-10T09:59:59+08:00"}, 422, "exit-before-entry"),
        ({"exit": "2027-12-12T10:00:00+08:00"}, 422, "stay-too-long"),
        ({"lot_id": "garage", "vehicle": "tram"}, 422, "unknown-vehicle"),
        ({"granted": ["nev"]}, 422, "unknown-entitlement"),
        ({"lot_id": "outside"}, 404, "lot-without-tariff"),
        ({"entry": "2026-11-22T09:29:00+08:00"}, 404, "lot-without-tariff"),
        ({"version": 7}, 409, "version-not-in-force"),
        ({"lot_id": None, "document": {"id": "x"}}, 422, "tariff-invalid"),
    ],
)
async def test_refusals(priced: Bureau, stay: dict[str, Any], status: int, kind: str) -> None:
    told = problem(await ask(priced, **stay), status, kind)
    assert told["detail"].endswith((".", "!", ":")) or told["errors"]


@pytest.mark.parametrize(
    "stay",
    [
        {"entry": "2026-12-10T10:00:00"},
        {"entry": "yesterday"},
        {"lot_id": None},
        {"document": {}},
        {"lot_id": "NO"},
        {"version": 0},
        {"version": 2**40},
        {"granted": ["x" * 65]},
        {"vehicle": ""},
        {"color": "red"},
    ],
)
async def test_requests_that_are_none(priced: Bureau, stay: dict[str, Any]) -> None:
    assert (await ask(priced, **stay)).status_code == 422


async def test_an_unknown_lot(priced: Bureau) -> None:
    assert (await ask(priced, lot_id="nowhere")).status_code == 404
    for body in ("", "[]", "{", '{"entry": NaN}', "\0"):
        answer = await priced.api.post("/v1/quotes", content=body, headers=JSON)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_longest_stay(priced: Bureau) -> None:
    year = datetime.fromisoformat(ENTRY) + timedelta(days=366)
    told = (await ask(priced, exit=year.isoformat())).json()
    assert told["total_minor"] > 0
    nothing = (await ask(priced, exit=ENTRY)).json()
    assert (nothing["total_minor"], nothing["lines"]) == (0, [])


async def test_a_document_is_priced_without_being_kept(priced: Bureau) -> None:
    asked = {
        "document": document("what-if", 500),
        "entry": ENTRY,
        "exit": "2026-12-10T11:00:00+08:00",
    }
    told = (await ask(priced, lot_id=None, **asked)).json()
    assert (told["total_minor"], told["tariff_id"], told["version"]) == (1000, "what-if", None)
    assert told["lot_id"] is None
    assert told["hash"] == content_hash(document("what-if", 500))


async def test_a_document_is_priced_for_the_bureau_alone(priced: Bureau, database_url: str) -> None:
    asked = {"document": document("what-if"), "entry": ENTRY, "exit": "2026-12-10T11:00:00+08:00"}
    operator = await person(database_url, "zhou", "operations")

    for headers, status in ((None, 401), (operator, 403), (priced.approver, 200)):
        answer = await priced.api.post("/v1/quotes", json=asked, headers=headers)
        assert answer.status_code == status
        assert status == 200 or answer.headers["content-type"] == "application/problem+json"


async def test_what_takes_too_many_steps_is_refused(priced: Bureau) -> None:
    """48 periods of 30 minutes, each of two tiers: 96 pieces a day."""
    model = document()["periods"][0]
    tiers = [{"from_s": 0, "price_minor": 1}, {"from_s": 600, "price_minor": 2}]
    periods = [
        model
        | {"id": f"p{place}", "start": _clock(30 * place), "end": _clock(30 * place + 30)}
        | {"unit_s": 600, "tiers": tiers}
        for place in range(48)
    ]
    stay = {"lot_id": None, "document": document(periods=periods), "entry": ENTRY}

    month = await ask(priced, **stay, exit="2027-01-10T10:00:00+08:00")
    year = await ask(priced, **stay, exit="2027-12-10T10:00:00+08:00")

    assert len(month.json()["lines"]) > 31 * 90
    problem(year, 422, "too-much-work")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


async def test_a_year_at_a_real_tariff_is_priced(priced: Bureau) -> None:
    told = (await ask(priced, exit="2027-12-10T10:00:00+08:00")).json()
    assert sum(line["amount_minor"] for line in told["lines"]) == told["total_minor"] > 0


async def test_vehicles_and_what_is_granted(priced: Bureau) -> None:
    stay = {"lot_id": "garage", "exit": "2026-12-10T11:00:00+08:00"}
    small, large, unnamed = [
        (await ask(priced, **stay, vehicle=vehicle)).json() for vehicle in ("small", "large", None)
    ]
    assert [small["total_minor"], large["total_minor"]] == [400, 800]
    assert (unnamed["total_minor"], unnamed["vehicle"]) == (400, "small")
    assert (await ask(priced, **stay, granted=["nev", "first_stay"])).json()["total_minor"] == 400


async def test_units_after_a_change_are_priced_by_the_next_version(bureau: Bureau) -> None:
    by_unit = document(price=300, version_policy="at_unit_start")
    await bureau.published(document=by_unit)
    second = await bureau.version(
        "t-1", document=document(price=400, version_policy="at_unit_start")
    )
    midnight = "2026-12-11T00:00:00+08:00"
    await bureau.act(second, "schedule", bureau.approver, effective_from=midnight)
    stay = {"entry": "2026-12-10T23:30:00+08:00", "exit": "2026-12-11T00:30:00+08:00"}

    told = (await ask(bureau, **stay)).json()

    assert (told["total_minor"], told["version"]) == (700, 1)
    near = (
        await bureau.api.get(
            "/v1/nearest",
            params={"lon": 120.38, "lat": 36.06, "min_free": 0, "at": stay["entry"]},
        )
    ).json()
    assert {lot["lot_id"]: lot["quote"] for lot in near["lots"]}["street"]["total_minor"] == 700


async def nearest(bureau: Bureau, **parameters: Any) -> dict[str, Any]:
    given = {"lon": 120.38, "lat": 36.06, "min_free": 0} | parameters
    answer = await bureau.api.get("/v1/nearest", params=given)
    assert answer.status_code == 200, answer.text
    return {lot["lot_id"]: lot["quote"] for lot in answer.json()["lots"]}


async def test_the_nearest_lots_are_priced(priced: Bureau, built: Builder) -> None:
    await built.lot("unpriced", lot_type="surface")
    priced.clock.now = datetime.fromisoformat("2026-12-10T10:00:59.9+08:00")

    found = await nearest(priced)

    assert found == {
        "street": {"total_minor": 400, "currency": "CNY", "tariff_id": "t-1", "version": 1},
        "garage": {"total_minor": 400, "currency": "CNY", "tariff_id": "t-2", "version": 1},
        "unpriced": None,
    }
    assert (await nearest(priced, duration_min=15))["street"]["total_minor"] == 0
    summer = "2027-06-10T10:00:00+08:00"
    assert (await nearest(priced, at=summer, duration_min=130))["street"]["total_minor"] == 1900
    assert (await nearest(priced, at="2020-01-01T00:00:00Z"))["street"] is None
    assert (await nearest(priced, vehicle="large"))["garage"]["total_minor"] == 800
    tram = await nearest(priced, vehicle="tram")
    assert tram["garage"] is None
    assert tram["street"] is not None


async def test_lots_are_priced_in_lists_and_one_by_one(priced: Bureau) -> None:
    stay: Any = {"at": "2027-06-10T10:00:00+08:00", "duration_min": 130, "vehicle": "large"}
    street = {"total_minor": 1900, "currency": "CNY", "tariff_id": "t-1", "version": 1}
    garage = {"total_minor": 2000, "currency": "CNY", "tariff_id": "t-2", "version": 1}

    page = (await priced.api.get("/v1/lots", params=stay)).json()
    features = (await priced.api.get("/v1/lots", params=stay | {"f": "geojson"})).json()
    one = (await priced.api.get("/v1/lots/garage", params=stay)).json()
    now = (await priced.api.get("/v1/lots/garage")).json()

    expected = {"garage": garage, "outside": None, "street": street}
    assert {lot["lot_id"]: lot["quote"] for lot in page["items"]} == expected
    told = {each["id"]: each["properties"]["quote"] for each in features["features"]}
    assert told == expected
    assert one["quote"] == garage
    large = {"from": "2027-06-10T02:00:00+00:00", "duration_min": 130, "vehicle": "large"}
    assert page["stay"] == features["stay"] == one["stay"] == large
    # An hour from the current whole minute on, at 2.00 a half hour.
    assert (now["quote"]["total_minor"], now["stay"]["from"]) == (400, "2026-11-22T01:30:00+00:00")


async def test_a_tariff_that_takes_too_long_holds_up_no_other(
    priced: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A month of the street has two pieces a day, of the garage one."""
    monkeypatch.setattr("pricing.charging.clock.MAX_PIECES", 40)
    month: Any = {"at": ENTRY, "duration_min": 43_200}

    page = (await priced.api.get("/v1/lots", params=month)).json()["items"]

    assert {lot["lot_id"]: lot["quote"] is None for lot in page} == {
        "garage": False,
        "outside": True,
        "street": True,
    }
    assert (await nearest(priced, at=ENTRY))["street"] is not None


async def test_all_pages_price_one_stay(priced: Bureau) -> None:
    first = (await priced.api.get("/v1/lots?limit=2&vehicle=large")).json()
    priced.clock.now += timedelta(minutes=7)

    second = (await priced.api.get(first["next"])).json()

    assert first["stay"] == second["stay"]
    assert [lot["lot_id"] for lot in second["items"]] == ["street"]


async def test_the_price_follows_a_publication_elsewhere(priced: Bureau, built: Builder) -> None:
    """Written by another process: the copy hears of the commit."""
    await built.connection.execute("DELETE FROM tariff_effect WHERE tariff_id = 't-2'")

    async def unpriced() -> bool:
        return (await nearest(priced))["garage"] is None

    await until(unpriced)
    assert (await nearest(priced))["street"] is not None
