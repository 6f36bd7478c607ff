"""What is asked of the API for its recordings, in order: each function is a chapter."""

import copy
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from tests.parking_api.builders import Builder, square
from tests.parking_api.bureau import document
from tests.parking_api.recorded.city import START, key_of, remember, set_clock
from tests.parking_api.recorded.recording import Recorder
from tests.polling import until

EVERYBODY: Final = ("nobody", "wang", "li", "zhao", "sun", "chen", "qian")
DECEMBER: Final = "2026-12-01T00:00:00+08:00"
JANUARY: Final = "2027-01-01T00:00:00+08:00"
FEBRUARY: Final = "2027-02-01T00:00:00+08:00"
STREET: Final[dict[str, Any]] = {"zones": ["z-1"], "lot_types": ["on_street"]}
ABSENT: Final = {
    "year": "2050",
    "version": "9",
    "number": "9",
    "dead_letter_id": "99",
    "key_id": "ffffffffffff",
}
WHY: Final = {"reason": "测试"}
CLASS_1_ROAD: Final[dict[str, Any]] = {
    "id": "qd-class1-road",
    "name": {"zh": "一类区域道路泊位", "en": "Class 1 road berth"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "periods": [
        {
            "id": "day-peak",
            "days": "all",
            "start": "07:30",
            "end": "18:30",
            "charge": "unit",
            "unit_s": 1800,
            "rounding": "up",
            "tiers": [{"from_s": 0, "price_minor": 350}, {"from_s": 3600, "price_minor": 400}],
            "cap_minor": 6000,
            "season": {"from": "04-20", "to": "10-10"},
        },
        {
            "id": "day-off",
            "days": "all",
            "start": "07:30",
            "end": "18:30",
            "charge": "unit",
            "unit_s": 1800,
            "rounding": "up",
            "tiers": [{"from_s": 0, "price_minor": 200}],
            "cap_minor": 1500,
            "season": {"from": "10-11", "to": "04-19"},
        },
        {"id": "night", "days": "all", "start": "18:30", "end": "07:30", "charge": "free"},
    ],
    "tier_clock": "window",
    "boundary": "unit_start",
    "grace": {"mode": "threshold", "seconds": 900, "basis": "stay"},
    "version_policy": "at_entry",
}


def zone(zone_id: str, **fields: Any) -> dict[str, Any]:
    """A zone to draft, east of z-1."""
    return {
        "zone_id": zone_id,
        "name": {"zh": f"{zone_id}区", "en": f"Zone {zone_id}"},
        "zone_class": 2,
        "valid_from": DECEMBER,
        "geometry": square(120.5, 36.0),
        **WHY,
    } | fields


def mechanism(**fields: Any) -> dict[str, Any]:
    """A mechanism for zone z-1's street, whose tariff is the same around the clock."""
    return {
        "id": "m-1",
        "zone_id": "z-1",
        "lot_types": ["on_street"],
        "time_bands": [{"id": "all", "days": "all", "start": "00:00", "end": "24:00"}],
        "floor_minor": 200,
        "ceiling_minor": 700,
        "grid_minor": 20,
    } | fields


def control(control_id: str = "c-1", **fields: Any) -> dict[str, Any]:
    """A price control of 6.00 an hour and 20 % above for the streets of class 1."""
    return {
        "price_control_id": control_id,
        "legal_reference": {
            "zh": "机动车停放服务收费政府指导价",
            "en": "Government-guided parking prices",
        },
        "zone_class": 1,
        "lot_types": ["on_street"],
        "base_minor": 600,
        "float_up_percent": 20,
        "valid_from": JANUARY,
        **WHY,
    } | fields


@dataclass
class Walk:
    """The scenario's parts: who records, the database, and the API's clock."""

    recorder: Recorder
    built: Builder
    tell: Callable[[datetime], None]
    now: datetime = START

    async def get(self, path: str, *whos: str, note: str = "") -> Any:
        """Have some people read something, by default nobody in particular."""
        for who in whos or ("nobody",):
            answer = await self.recorder.ask(who, "GET", path, note=note)
        return answer

    async def post(self, path: str, who: str, body: Any = None, note: str = "") -> Any:
        """Have somebody post something; what takes a second person is confirmed by one."""
        answer = await self.recorder.ask(who, "POST", path, body, note=note)
        await self._confirm(answer, who)
        return answer

    async def put(self, path: str, who: str, body: Any, note: str = "") -> Any:
        """Have somebody put something; what takes a second person is confirmed by one."""
        answer = await self.recorder.ask(who, "PUT", path, body, note=note)
        await self._confirm(answer, who)
        return answer

    async def _confirm(self, answer: Any, who: str) -> None:
        if answer.status_code == HTTPStatus.ACCEPTED:
            path = f"/v1/decisions/{answer.json()['decision_id']}"
            second = "zhao" if who == "li" else "li"
            await self.recorder.ask(second, "POST", f"{path}/confirm", WHY)

    async def patch(self, path: str, whos: Sequence[str], body: Any, note: str = "") -> None:
        """Have some people change something."""
        for who in whos:
            await self.recorder.ask(who, "PATCH", path, body, note=note)

    async def pages(self, path: str, *whos: str) -> None:
        """Have some people read a list to its last page."""
        for who in whos or ("nobody",):
            page: str | None = path
            while page:
                page = (await self.recorder.ask(who, "GET", page)).json().get("next")

    async def turn(self, at: datetime) -> None:
        """Set the clocks."""
        at = at.astimezone(UTC)
        self.now = at
        self.tell(at)
        await set_clock(self.built.connection, at)

    async def tick(self) -> None:
        """Let a second pass, so that what is ordered by its time has an order."""
        await self.turn(self.now + timedelta(seconds=1))

    async def moved(self, lot_id: str, zone_id: str) -> None:
        """Wait until the API has given a lot the zone that has begun meanwhile."""
        connection = self.built.connection
        await connection.execute("NOTIFY tariffs")
        found = "SELECT true FROM public.lot WHERE lot_id = $1 AND zone_id = $2"
        await until(lambda: connection.fetchval(found, lot_id, zone_id))

    async def carry(self, path: str, by: str = "publish", **body: Any) -> None:
        """Submit, approve and publish a version."""
        await self.post(f"{path}/submit", "wang", WHY)
        await self.post(f"{path}/approve", "li", WHY)
        await self.post(f"{path}/{by}", "li", WHY | body)


async def public(walk: Walk) -> None:
    """Everybody's reads, with their filters, formats and pages."""
    get, pages = walk.get, walk.pages
    await get("/healthz", *EVERYBODY)
    await get("/readyz", *EVERYBODY)
    await get("/v1/operations", *EVERYBODY)
    await get("/v1/city", *EVERYBODY)
    await get("/v1/map", *EVERYBODY)
    await get("/v1/districts", *EVERYBODY)
    await get("/v1/map/places", *EVERYBODY)
    for query in ("crs=gcj02", "crs=bd09", "crs=utm", "bbox=120,36,121,37"):
        await get(f"/v1/map?{query}")
        await get(f"/v1/districts?{query}")
        await get(f"/v1/map/places?{query}")
    here = "lon=120.3801&lat=36.0601"
    await get("/v1/places?q=wusi", *EVERYBODY)
    for query in (
        "q=%E4%BA%94%E5%9B%9B",
        "q=wsgc&crs=gcj02",
        "q=sn",
        f"q=street&{here}",
        f"q=lot&limit=2&{here}&source=database",
        "q=nowhere",
        "q=",
        "q=a&lon=120.38",
        "q=a&limit=101",
        "lon=1&lat=1",
    ):
        await get(f"/v1/places?{query}")
    await get(f"/v1/nearest?{here}", *EVERYBODY)
    for query in (
        "limit=2",
        "radius_m=120",
        "min_free=0",
        "min_free=0&limit=100&radius_m=20000",
        "min_free=6",
        "limit=2&f=geojson",
        "limit=2&lot_type=underground&crs=gcj02",
        "space_class=ev",
        "space_class=large",
        "space_class=standard&min_free=0",
        "height_m=1.9",
        "height_m=2.5",
        "open_throughout=true",
        "at=2026-11-22T20:30:00%2B08:00&duration_min=30",
        "at=2026-11-22T20:30:00%2B08:00&duration_min=240&min_free=0",
        "vehicle=small",
        "radius_m=0",
        "radius_m=20001",
        "limit=0",
        "limit=101",
        "limit=x",
        "space_class=huge",
        "height_m=nan",
        "at=2026-11-22T20:30:00",
        "at=1999-11-22T20:30:00Z",
        "duration_min=43201",
        "colour=red",
        "limit=1&limit=2",
    ):
        await get(f"/v1/nearest?{here}&{query}")
    await get("/v1/nearest")
    await get(f"/v1/nearest?{here}&source=database")
    await get(f"/v1/nearest?{here}&source=sql")
    await get("/v1/nearest?lon=0&lat=0")
    await get("/v1/nearest?lon=181&lat=91")
    await get(f"/v1/spaces/nearest?{here}", *EVERYBODY)
    for query in (
        "limit=1",
        "limit=2&f=geojson&crs=bd09",
        "radius_m=50",
        "space_class=ev",
        "space_class=large",
        "height_m=1.5",
        "height_m=3",
        "height_m=9",
        "space_class=x",
        "colour=red",
    ):
        await get(f"/v1/spaces/nearest?{here}&{query}")
    await get("/v1/spaces/nearest")
    await get(f"/v1/spaces/nearest?{here}&source=database")
    await _lots(walk)
    await pages("/v1/lots?limit=4")
    await get("/v1/lots?limit=2&f=geojson")
    for query in (
        "lon=120.38",
        "bbox=120,36,121,37&lon=120.38",
        "bbox=120,36,126,37",
        f"{here}&x=1",
        f"{here}&f=geojson",
    ):
        await get(f"/v1/stream?{query}")


async def _lots(walk: Walk) -> None:
    get = walk.get
    await get("/v1/lots", *EVERYBODY)
    for query in (
        "f=xml",
        "bbox=120.3,36,120.3815,36.2",
        "bbox=120.3,36,120.3815",
        "bbox=121,36,120,37",
        "bbox=100,36,120,37",
        "bbox=100,36,120,99",
        "district=370202&limit=2",
        "district=370203",
        "zone=z-1&limit=2",
        "zone=z-9",
        "operator=op-b",
        "lot_type=on_street",
        "lot_type=hangar",
        "status=open",
        "status=full",
        "status=closed",
        "status=unknown",
        "status=x",
        "open_throughout=true&lot_type=surface",
        "open_throughout=maybe",
        "zone=z-1&status=open&lot_type=on_street&limit=1",
        "cursor=sim",
        "cursor=A",
        "limit=0",
        "limit=1001",
        "at=2026-12-01T00:00:00Z&duration_min=90&vehicle=small&limit=1",
        "colour=red",
        "limit=1&limit=1",
    ):
        await get(f"/v1/lots?{query}")
    await get("/v1/lots/garage", *EVERYBODY)
    for lot_id in (
        *("street", "full", "closed", "closing", "stale", "silent", "unheard", "sim", "outside"),
        *("none", "A", "%ff"),
    ):
        await get(f"/v1/lots/{lot_id}")
    await get("/v1/lots/street?at=2026-12-01T08:00:00%2B08:00&duration_min=60&vehicle=large")
    await get("/v1/lots/street?colour=red")
    await get("/v1/lots/street?duration_min=0")
    await get("/v1/lots/garage/spaces", *EVERYBODY)
    for lot_id in ("street", "none", "A"):
        await get(f"/v1/lots/{lot_id}/spaces")
        await get(f"/v1/lots/{lot_id}/occupancy")
    for query in ("f=bits", "f=bits&source=database", "f=bits&crs=gcj02", "f=geojson", "limit=1"):
        await get(f"/v1/lots/garage/spaces?{query}")
    for query in ("f=bits", "f=bits&source=database"):
        await get(f"/v1/lots/street/spaces?{query}")
    stretch = "from=2026-11-22T00:20:00Z&to=2026-11-22T01:00:00Z"
    await get(f"/v1/lots/street/occupancy?{stretch}", *EVERYBODY)
    for query in (
        f"{stretch}&step=900",
        f"{stretch}&step=86400",
        f"{stretch}&step=301",
        "from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z",
        "from=2026-11-22T00:00:00Z&step=3600",
        "to=2026-11-22T02:00:00Z&step=7200",
        "from=2027-11-22T00:00:00Z&step=43200",
        "from=2020-11-22T00:00:00Z",
        "from=yesterday",
        "colour=red",
    ):
        await get(f"/v1/lots/street/occupancy?{query}")
    await get("/v1/lots/garage/occupancy?from=2026-11-22T00:30:00Z&to=2026-11-22T00:40:00Z")


async def errors(walk: Walk) -> None:
    """Whatever any route may be told wrongly, and methods that are none."""
    ask, get = walk.recorder.ask, walk.get
    for path in ("/v2", "/v1", "/v1/city/", "/v1/lots/a/b", "/v1/%00", "/nowhere?a=1"):
        await get(path)
    for method in ("HEAD", "OPTIONS", "DELETE", "PATCH", "POST", "PUT"):
        for path in ("/v1/city", "/healthz", "/v1/quotes", "/v1/zones/z-1", "/v1/people"):
            if (method, path) not in {("POST", "/v1/quotes"), ("PUT", "/v1/zones/z-1")}:
                await ask("nobody", method, path)
    await get("/v1/city?x=1")
    await get("/healthz?x=1")
    await get("/v1/city?" + "&".join(f"p{number}=1" for number in range(70)), note="70 parameters")
    for who in ("Bearer nonsense", "Bearer ot_a.b", "Basic YTpi", "Bearer", f"Bearer {OTHERS_KEY}"):
        await ask(f"as {who[:20]}", "GET", "/v1/people/me", headers={"Authorization": who})
        await ask(f"as {who[:20]}", "GET", "/v1/tariffs", headers={"Authorization": who})
    for path in ("/v1/quotes", "/v1/tariffs/lint", "/v1/zones"):
        for note, content in (
            ("nothing", b""),
            ("not JSON", b"{"),
            ("no UTF-8", b'{"a":"\xff"}'),
            ("a list", b"[]"),
            ("null", b"null"),
            ("a number", b"7"),
            ("twice", b'{"reason":"a","reason":"b"}'),
            ("a NUL", b'{"reason":"a\\u0000"}'),
            ("half a character", b'{"reason":"\\ud800"}'),
            ("infinite", b'{"reason":1e999}'),
            ("not a number", b'{"reason":NaN}'),
            ("deep", b'{"reason":' + b"[" * 200 + b"]" * 200 + b"}"),
            ("many items", b'{"reason":[' + b"1," * 2001 + b"1]}"),
            ("large", b'{"reason":"' + b"x" * 3_000_000 + b'"}'),
        ):
            json = {"content-type": "application/json"}
            await ask("wang", "POST", path, content=content, headers=json, note=note)
        zipped = {"content-type": "application/json", "content-encoding": "gzip"}
        await ask("wang", "POST", path, content=b"{}", headers=zipped, note="zipped")
        text = {"content-type": "text/plain"}
        await ask("wang", "POST", path, content=b"{}", headers=text, note="as text")
        await ask("nobody", "POST", path, content=b"{", headers=json, note="not JSON")


OTHERS_KEY: Final = key_of("somebody else")


async def zones(walk: Walk) -> None:
    """Zones: drawn, changed, checked, published, withdrawn, ended."""
    get, post, put = walk.get, walk.post, walk.put
    await get("/v1/zones", *EVERYBODY)
    await get("/v1/zones/z-1", *EVERYBODY)
    await get("/v1/zones?at=2019-01-01T00:00:00Z")
    await get("/v1/zones?at=now")
    await get("/v1/zones/z-1?at=2019-01-01T00:00:00Z")
    await get("/v1/zones/none")
    await get("/v1/zone-drafts", *EVERYBODY)
    for who in EVERYBODY:
        await post("/v1/zones", who, zone(f"by-{who}"))
    await post("/v1/zones", "wang", zone("z-2"))
    await post("/v1/zones", "wang", zone("z-2"), "again")
    await post("/v1/zones", "wang", zone("z-1"))
    await post("/v1/zones", "wang", {})
    await _bad_zones(walk)
    await get("/v1/zone-drafts", *EVERYBODY, note="with drafts")
    await get("/v1/zones/z-2/draft", *EVERYBODY)
    await get("/v1/zones/none/draft", "wang")
    redrawn = zone("z-2", zone_class=3, name={"zh": "新区", "en": "New"}, valid_to=FEBRUARY)
    del redrawn["zone_id"]
    for who in ("nobody", "li", "zhao", "sun", "chen", "wang"):
        await put("/v1/zones/z-2", who, redrawn)
    await put("/v1/zones/none", "wang", redrawn)
    for who in ("nobody", "wang", "li", "sun"):
        await post("/v1/zones/z-2/check", who)
    await post("/v1/zones/z-2/check", "wang", {"also": ["by-wang"]})
    await post("/v1/zones/z-2/check", "wang", {"also": ["none"]})
    await post("/v1/zones/none/check", "wang")
    await _published_zones(walk)
    await _ended_zones(walk)


async def _bad_zones(walk: Walk) -> None:
    post = walk.post
    faults = {"zone_class": 4, "name": {"zh": "", "en": "x"}, "colour": "red"}
    for geometry in (
        {"type": "Point", "coordinates": [120, 36]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
        {},
        None,
    ):
        await post("/v1/zones", "wang", zone("z-3", geometry=geometry, **faults), "bad ground")
    await post("/v1/zones", "wang", zone("z-3", valid_to=START.isoformat()), "ends before")


async def _published_zones(walk: Walk) -> None:
    post = walk.post
    await post("/v1/zones", "wang", zone("over", geometry=square(120.45, 36.0)))
    await post("/v1/zones/over/check", "wang")
    await post("/v1/zones/over/publish", "li", WHY)
    for who in ("nobody", "wang", "sun", "chen", "li"):
        await post("/v1/zones/z-2/publish", who, WHY)
    await post("/v1/zones/z-2/publish", "li", WHY, "again")
    await post("/v1/zones/z-2/publish", "li", {}, "without a reason")
    await post("/v1/zones/none/publish", "li", WHY)
    await post("/v1/zones/by-zhao/publish", "zhao", WHY)
    await post("/v1/zones", "wang", zone("past", valid_from="2026-11-22T09:00:00+08:00"))
    await post("/v1/zones/past/publish", "li", WHY)
    await post("/v1/zones", "wang", zone("late", replaces=["nothing"]))
    await post("/v1/zones/late/publish", "li", WHY)
    for who in ("nobody", "li", "zhao", "sun", "wang"):
        await post("/v1/zones/by-wang/withdraw", who, WHY)
    await post("/v1/zones/by-wang/withdraw", "wang", WHY, "again")
    await post("/v1/zones/by-wang/publish", "li", WHY)
    await post("/v1/zones/none/withdraw", "wang", WHY)


async def _ended_zones(walk: Walk) -> None:
    get, post = walk.get, walk.post
    await get("/v1/zones", "nobody", "li", note="before December")
    await get(f"/v1/zones?at={DECEMBER.replace('+', '%2B')}", "nobody", "li")
    await get(f"/v1/zones/z-2?at={DECEMBER.replace('+', '%2B')}")
    await get("/v1/zones/z-2")
    for valid_to in ("2026-11-22T09:00:00+08:00", "2019-01-01T00:00:00Z", "soon"):
        await post("/v1/zones/z-1/end", "li", WHY | {"valid_to": valid_to}, valid_to)
    await post("/v1/zones/none/end", "li", WHY | {"valid_to": DECEMBER})
    for who in ("nobody", "wang", "sun", "chen", "li"):
        await walk.recorder.ask(who, "POST", "/v1/zones/z-2/end", WHY | {"valid_to": JANUARY})
    await post("/v1/zones/z-2/end", "li", WHY | {"valid_to": JANUARY}, "again")
    await get("/v1/zone-drafts", "wang", "li", note="afterwards")


async def tariffs(walk: Walk) -> None:
    """Tariffs: drafted, changed, submitted, approved, published, scheduled, withdrawn."""
    get, post, put = walk.get, walk.post, walk.put
    given = {"document": document(), "applies_to": STREET, **WHY}
    await get("/v1/tariffs", *EVERYBODY)
    for who in EVERYBODY:
        await post("/v1/tariffs", who, given | {"document": document(f"by-{who}")})
    await post("/v1/tariffs", "wang", given)
    await post("/v1/tariffs", "wang", given, "again")
    await post("/v1/tariffs", "wang", {})
    await _bad_tariffs(walk)
    path = "/v1/tariffs/t-1/versions/1"
    for rest in ("", "/lint", "/compare?to=1", "/notice", "/notice?f=md"):
        await get(f"{path}{rest}", *EVERYBODY, note="draft")
    for who in ("nobody", "li", "zhao", "sun", "chen", "wang"):
        await put(path, who, given | {"document": document(price=310)})
    await put(path, "wang", given | {"document": document("t-9")}, "another id")
    await put("/v1/tariffs/t-1/versions/9", "wang", given)
    for act, allowed in (("submit", "wang"), ("approve", "li"), ("publish", "li")):
        for who in EVERYBODY:
            if who not in (allowed, "zhao"):
                await post(f"{path}/{act}", who, WHY)
        await post(f"/v1/tariffs/none/versions/1/{act}", allowed, WHY)
        await post(f"{path}/{act}", allowed, {}, "without a reason")
        if act == "submit":
            await post(f"{path}/submit", "zhao", WHY)
            times = {"effective_from": FEBRUARY, "effective_to": JANUARY}
            await post(f"{path}/submit", "wang", WHY | times, "backwards")
            await post(f"{path}/approve", "li", WHY, "a draft")
            await post(f"{path}/publish", "li", WHY, "a draft")
        await post(f"{path}/{act}", allowed, WHY, "done")
        await post(f"{path}/{act}", allowed, WHY, "again")
        await put(path, "wang", given, f"after {act}")
    await _versions(walk, path)
    await _withdrawals(walk)
    await _unpriced(walk)
    await _looking(walk)


async def _bad_tariffs(walk: Walk) -> None:
    post = walk.post
    given = {"document": document("bad"), "applies_to": STREET, **WHY}
    wrong = document("T 1", boundary="maybe", colour="red")
    wrong["periods"][0] |= {"tiers": [{"from_s": 5, "price_minor": -1}], "unit_s": None}
    del wrong["grace"]
    await post("/v1/tariffs", "wang", given | {"document": wrong}, "faults")
    for target in (
        {"zones": ["z-1", "z-9"], "lot_types": ["on_street"]},
        STREET | {"lots": ["street"]},
        {"lots": ["none"]},
        {"zones": ["z-1"], "lot_types": ["hangar"]},
        {},
        None,
    ):
        await post("/v1/tariffs", "wang", given | {"applies_to": target}, f"for {target}")
    await post("/v1/tariffs", "wang", given | {"reason": ""}, "an empty reason")
    await post("/v1/tariffs", "wang", given | {"reason": "x" * 501}, "a long reason")
    await post("/v1/tariffs", "wang", given | {"document": "none"}, "no document")
    await post("/v1/tariffs/lint", "wang", {"document": wrong}, "faults")


async def _versions(walk: Walk, first: str) -> None:
    get, post = walk.get, walk.post
    versions = "/v1/tariffs/t-1/versions"
    changed = document(price=400, grace={"mode": "threshold", "seconds": 900, "basis": "stay"})
    for who in ("nobody", "li", "sun", "chen", "wang"):
        await post(versions, who, {"document": changed, **WHY})
    await post(versions, "wang", {"document": changed, "copy_of": 1, **WHY}, "both")
    await post(versions, "wang", {"document": document("t-2"), **WHY}, "another id")
    await post(versions, "wang", {"copy_of": 9, **WHY})
    await post("/v1/tariffs/none/versions", "wang", {"copy_of": 1, **WHY})
    second = f"{versions}/2"
    await post(f"{second}/submit", "wang", WHY | {"effective_from": JANUARY})
    await post(f"{second}/approve", "li", WHY)
    for times in (
        {"effective_from": "2026-11-22T09:29:59+08:00"},
        {"effective_from": FEBRUARY, "effective_to": JANUARY},
        {},
    ):
        await post(f"{second}/schedule", "li", WHY | times, str(times))
    for who in ("nobody", "wang", "sun", "chen", "li"):
        await post(f"{second}/schedule", who, WHY | {"effective_from": JANUARY})
    await post(versions, "wang", {"copy_of": 1, **WHY})
    third = f"{versions}/3"
    await walk.carry(third)
    issued = {
        "issuing_office": {
            "zh": "青岛市发展和改革委员会",
            "en": "Qingdao Municipal Development and Reform Commission",
        },
        "document_number": "青发改规〔2026〕12号",
        "issued_on": "2026-11-22",
    }
    for wrong in ({"issuing_office": {"zh": "办"}}, {"issued_on": "22 November"}):
        await post(f"{third}/schedule", "li", WHY | {"effective_from": FEBRUARY} | wrong, "wrong")
    await post(f"{third}/schedule", "li", WHY | {"effective_from": FEBRUARY} | issued)
    for rest in ("/notice", "/notice?lang=en", "/notice?f=md&lang=en", "/notice?f=json"):
        await get(f"{third}{rest}")
    for path in (first, second, third):
        await get(path, *EVERYBODY)
    # Another tariff for the same place.
    given = {"document": document("t-2", 500), "applies_to": STREET, **WHY}
    await post("/v1/tariffs", "wang", given)
    await walk.carry("/v1/tariffs/t-2/versions/1")
    await post("/v1/tariffs/t-2/versions/1/schedule", "li", WHY | {"effective_from": DECEMBER})
    given = {"document": CLASS_1_ROAD, "applies_to": {"lots": ["garage"]}, **WHY}
    await post("/v1/tariffs", "wang", given)
    await walk.carry("/v1/tariffs/qd-class1-road/versions/1", effective_to=FEBRUARY)


async def _withdrawals(walk: Walk) -> None:
    post = walk.post
    await post("/v1/tariffs/by-wang/versions/1/withdraw", "nobody", WHY)
    await post("/v1/tariffs/by-wang/versions/1/withdraw", "zhao", WHY)
    await post("/v1/tariffs/by-wang/versions/1/withdraw", "sun", WHY)
    await post("/v1/tariffs/by-wang/versions/1/withdraw", "wang", WHY)
    await post("/v1/tariffs/by-wang/versions/1/withdraw", "wang", WHY, "again")
    await post("/v1/tariffs/by-zhao/versions/1/submit", "zhao", WHY)
    await post("/v1/tariffs/by-zhao/versions/1/approve", "zhao", WHY)
    await post("/v1/tariffs/by-zhao/versions/1/withdraw", "zhao", WHY)
    await post("/v1/tariffs/none/versions/1/withdraw", "wang", WHY)
    await post("/v1/tariffs/t-1/versions/1/withdraw", "wang", WHY)
    await post("/v1/tariffs/t-1/versions/1/withdraw", "li", WHY)
    # A garage has no other tariff.
    garage = "/v1/tariffs/garage-only/versions/1"
    target = {"zones": ["z-1"], "lot_types": ["multi_storey"]}
    given = {"document": document("garage-only", 100), "applies_to": target, **WHY}
    await post("/v1/tariffs", "wang", given)
    await walk.carry(garage)
    await walk.turn(walk.now + timedelta(hours=1))
    await post(f"{garage}/withdraw", "li", WHY)
    await post(f"{garage}/withdraw", "li", WHY | {"leaves_unpriced": True})
    await walk.get(garage, "nobody", "li", note="withdrawn")
    await walk.get(f"{garage}/notice", "nobody", note="withdrawn")


async def decisions(walk: Walk) -> None:
    """What takes two persons, and suspensions."""
    ask, get, pages, post = walk.recorder.ask, walk.get, walk.pages, walk.post
    version = "/v1/tariffs/by-class/versions/1"
    await _suspensions(walk, version)
    for who in EVERYBODY:
        given = {"digest": "ab" * 32, **WHY}
        asked = await ask(who, "POST", "/v1/imports", given)
    await post("/v1/imports", "wang", {"digest": "x", **WHY})
    asked = await ask("wang", "POST", f"{version}/withdraw", WHY | {"leaves_unpriced": True})
    path = f"/v1/decisions/{asked.json()['decision_id']}"
    await get("/v1/decisions", *EVERYBODY)
    await pages("/v1/decisions?limit=1&all=true", "li")
    for step in ("confirm", "withdraw"):
        for who in ("nobody", "sun", "chen"):
            await post(f"{path}/{step}", who, WHY)
        await post(f"/v1/decisions/ffffffffffff/{step}", "li", WHY)
    await post(f"{path}/confirm", "wang", WHY)
    await post(f"{path}/confirm", "li", {})
    await post(f"{path}/withdraw", "wang", WHY)
    for step in ("confirm", "withdraw"):
        await post(f"{path}/{step}", "li", WHY, "again")
    own = await ask("li", "POST", f"{version}/withdraw", WHY | {"leaves_unpriced": True})
    path = f"/v1/decisions/{own.json()['decision_id']}"
    await post(f"{path}/confirm", "li", WHY)
    await post(f"{path}/withdraw", "wang", WHY)
    await walk.turn(walk.now + timedelta(days=7))
    await post(f"{path}/confirm", "zhao", WHY, "lapsed")


async def _suspensions(walk: Walk, version: str) -> None:
    get, post = walk.get, walk.post
    await post(f"{version}/suspend/confirm", "li", WHY, "of nothing")
    for step in ("suspend", "suspend/confirm", "resume"):
        for who in ("nobody", "sun", "chen"):
            await post(f"{version}/{step}", who, WHY)
    await post("/v1/tariffs/none/versions/1/suspend", "wang", WHY)
    await post(f"{version}/suspend", "wang", {"reason": "价格有误"})
    await post(f"{version}/suspend", "li", WHY, "again")
    await get("/v1/suspensions", "nobody", "li")
    await get("/v1/lots?lot_type=multi_storey", "nobody", note="suspended")
    for lot in (await walk.recorder.ask("li", "GET", "/v1/lots")).json()["items"]:
        if lot.get("quote_reason"):
            stay = {"lot_id": lot["lot_id"], "entry": walk.now.isoformat()}
            stay["exit"] = (walk.now + timedelta(hours=1)).isoformat()
            await post("/v1/quotes", "nobody", stay, "suspended")
            at = lot["location"]["coordinates"]
            near = f"lon={at[0]}&lat={at[1]}&limit=1&min_free=0&lot_type=multi_storey"
            await get(f"/v1/nearest?{near}", note="suspended")
    await post(f"{version}/suspend/confirm", "li", WHY)
    await post(f"{version}/suspend/confirm", "li", WHY, "again")
    await post(f"{version}/resume", "wang", WHY)
    await get("/v1/suspensions", "li", note="afterwards")


async def _unpriced(walk: Walk) -> None:
    post = walk.post
    vehicles = {"small": {}, "large": {"multiplier": 2}}
    told = document("by-class", 200, vehicles=vehicles, entitlements=[{"id": "nev"}])
    target = {"zones": ["z-1"], "lot_types": ["multi_storey"]}
    await post("/v1/tariffs", "wang", {"document": told, "applies_to": target, **WHY})
    await walk.carry("/v1/tariffs/by-class/versions/1")
    await post("/v1/zones/z-1/end", "li", WHY | {"valid_to": FEBRUARY})
    anew = {"geometry": square(120.3, 36.0), "replaces": ["z-1"], "valid_from": FEBRUARY}
    await post("/v1/zones", "wang", zone("anew", **anew))
    await post("/v1/zones/anew/check", "wang")
    await post("/v1/zones/anew/publish", "li", WHY)
    await post("/v1/zones/anew/publish", "li", WHY | {"leaves_unpriced": True}, "all the same")


async def _looking(walk: Walk) -> None:
    get, pages, post = walk.get, walk.pages, walk.post
    first = "/v1/tariffs/t-1/versions/1"
    for rest in (
        *("/lint", "/compare?to=2", "/compare?to=1", "/compare?to=99", "/compare", "/compare?to=x"),
        *("/notice", "/notice?f=md", "/notice?f=pdf", "/notice?lang=fr"),
    ):
        await get(f"{first}{rest}", *EVERYBODY)
    road = "/v1/tariffs/qd-class1-road/versions/1"
    for rest in ("", "/lint", "/notice", "/notice?f=md", "?colour=red"):
        await get(f"{road}{rest}", "nobody", "wang")
    for path in ("/v1/tariffs/none/versions/1", "/v1/tariffs/t-1/versions/0"):
        for rest in ("", "/lint", "/compare?to=1", "/notice"):
            await get(f"{path}{rest}", "nobody", "wang")
    for query in (
        "zone=z-1&lot_type=on_street",
        "lot=garage",
        "state=draft",
        "state=in_force",
        "state=superseded",
        "state=scheduled",
        "state=withdrawn",
        "state=x",
        "tariff=t-1",
        "zone=z-2",
        "cursor=t-1~1",
        "cursor=x",
        "colour=red",
    ):
        await get(f"/v1/tariffs?{query}", "nobody", "wang")
    await get("/v1/tariffs", *EVERYBODY, note="afterwards")
    await pages("/v1/tariffs?limit=2", "nobody", "li")
    for who in EVERYBODY:
        await post("/v1/tariffs/lint", who, {"document": CLASS_1_ROAD, "applies_to": STREET})
    gaps = copy.deepcopy(CLASS_1_ROAD)
    gaps["periods"] = gaps["periods"][1:2]
    await post("/v1/tariffs/lint", "wang", {"document": gaps}, "with gaps")


async def quotes(walk: Walk) -> None:
    """What stays cost."""
    post = walk.post
    stay = {"lot_id": "street", "entry": "2026-11-22T10:00:00+08:00"}
    stay |= {"exit": "2026-11-22T12:10:00+08:00"}
    for who in EVERYBODY:
        await post("/v1/quotes", who, stay)
    for fields in (
        {"version": 3},
        {"version": 9},
        {"vehicle": "small"},
        {"vehicle": "tank"},
        {"granted": ["first_stay"]},
        {"granted": ["everything"]},
        {"lot_id": "garage"},
        {"lot_id": "garage", "entry": "2026-11-22T18:00:00+08:00", "exit": "2026-11-23T09:00:00Z"},
        {"lot_id": "unheard"},
        {"lot_id": "outside"},
        {"lot_id": "none"},
        {"lot_id": "A"},
        {"lot_id": None},
        {"exit": "2026-11-22T10:00:00+08:00"},
        {"exit": "2026-11-22T09:00:00+08:00"},
        {"exit": "2028-11-22T09:00:00+08:00"},
        {"exit": "later"},
        {"exit": 7},
        {"entry": "2019-11-22T09:00:00+08:00", "exit": "2019-11-22T10:00:00+08:00"},
        {"entry": "2027-01-31T23:00:00+08:00", "exit": "2027-02-01T01:00:00+08:00"},
        {"document": document()},
        {"lot_id": None, "document": document()},
        {"lot_id": None, "document": CLASS_1_ROAD},
        {"lot_id": None, "document": CLASS_1_ROAD, "version": 1},
        {"lot_id": None, "document": {"id": "x"}},
        {"colour": "red"},
    ):
        who = "wang" if "document" in fields else "nobody"
        await post("/v1/quotes", who, stay | fields, " ".join(fields))
    await post("/v1/quotes", "nobody", {})
    for fields in (
        {"vehicle": "small"},
        {"vehicle": "large"},
        {"vehicle": "tram"},
        {"granted": ["nev", "first_stay"]},
    ):
        full = {"lot_id": "full", "entry": "2026-11-22T11:00:00+08:00", **fields}
        await post("/v1/quotes", "nobody", stay | full, f"full {fields}")
    tiers = [{"from_s": 0, "price_minor": 1}, {"from_s": 600, "price_minor": 2}]
    period = document()["periods"][0] | {"unit_s": 600, "tiers": tiers}
    clock = [f"{number // 2:02}:{number % 2 * 30:02}" for number in range(49)]
    periods = [
        period | {"id": f"p{place}", "start": clock[place], "end": clock[place + 1]}
        for place in range(48)
    ]
    year = {"entry": "2026-11-22T10:00:00+08:00", "exit": "2027-11-22T10:00:00+08:00"}
    laborious = year | {"document": document(periods=periods)}
    await post("/v1/quotes", "wang", laborious, "too much work")
    for path in ("/v1/lots/street", "/v1/lots/garage", "/v1/lots?limit=3&f=geojson"):
        await walk.get(path, note="with prices")
    here = "/v1/nearest?lon=120.3801&lat=36.0601"
    for query in ("", "&vehicle=small", "&vehicle=tank", "&duration_min=600", "&min_free=0"):
        await walk.get(f"{here}{query}", note="with prices")


async def controls(walk: Walk) -> None:
    """Price controls and the calendar."""
    get, post, put = walk.get, walk.post, walk.put
    await get("/v1/price-controls", *EVERYBODY)
    for who in EVERYBODY:
        await post("/v1/price-controls", who, control(f"by-{who}", valid_from=FEBRUARY))
    await post("/v1/price-controls", "wang", control())
    await post("/v1/price-controls", "wang", control(), "again")
    every: dict[str, Any] = {
        "zone_class": None,
        "lot_types": [],
        "vehicle": "large",
        "float_down_percent": 10,
        "floor_minor": 100,
        "ceiling_minor": 1000,
        "day_ceiling_minor": 6000,
        "valid_to": FEBRUARY,
    }
    await post("/v1/price-controls", "wang", control("whole", **every))
    for fields in (
        {"floor_minor": 700},
        {"ceiling_minor": 500},
        {"valid_to": "2026-01-01T00:00:00Z"},
        {"base_minor": -1, "currency": "yuan", "colour": "red"},
    ):
        await post("/v1/price-controls", "wang", control("bad", **fields), " ".join(fields))
    await post("/v1/price-controls", "wang", {})
    for control_id in ("c-1", "whole", "none"):
        await get(f"/v1/price-controls/{control_id}", *EVERYBODY, note="draft")
    for who in EVERYBODY:
        if who != "zhao":
            await post("/v1/price-controls/c-1/approve", who, WHY)
    await post("/v1/price-controls/c-1/approve", "li", WHY, "again")
    await post("/v1/price-controls/by-zhao/approve", "zhao", WHY)
    await post("/v1/price-controls/none/approve", "li", WHY)
    await post("/v1/price-controls/c-1/approve", "li", {}, "without a reason")
    given = {"document": document("dear", 900), "applies_to": STREET, **WHY}
    await post("/v1/tariffs", "wang", given)
    dear = "/v1/tariffs/dear/versions/1"
    await get(f"{dear}/lint", "wang")
    await post(f"{dear}/submit", "wang", WHY)
    for who in ("nobody", "wang", "sun", "chen", "li"):
        await post("/v1/price-controls/c-1/end", who, WHY | {"valid_to": FEBRUARY})
    await post("/v1/price-controls/c-1/end", "li", WHY | {"valid_to": "2026-01-01T00:00:00Z"})
    await post("/v1/price-controls/whole/end", "li", WHY | {"valid_to": FEBRUARY})
    await post("/v1/price-controls/none/end", "li", WHY | {"valid_to": FEBRUARY})
    await get("/v1/price-controls", *EVERYBODY, note="afterwards")
    await get("/v1/price-controls/c-1", "nobody", "wang", note="ended")
    await get("/v1/price-controls?colour=red")
    await get("/v1/calendar", *EVERYBODY)
    days = {"holidays": ["2027-01-01", "2027-01-02"], "makeup_workdays": ["2027-01-03"], **WHY}
    for who in ("nobody", "wang", "sun", "chen", "li"):
        await put("/v1/calendar/2027", who, days)
    await put("/v1/calendar/2027", "li", days, "again")
    await put("/v1/calendar/2028", "li", days, "days of another year")
    await put("/v1/calendar/2028", "li", {"holidays": ["2028-13-01"]}, "no days")
    await put("/v1/calendar/1999", "li", days)
    await get("/v1/calendar", *EVERYBODY, note="afterwards")


async def mechanisms(walk: Walk) -> None:
    """Mechanisms: drafted, changed, approved, frozen, resumed, reviewed, retired."""
    get, post, put = walk.get, walk.post, walk.put
    await get("/v1/mechanisms", *EVERYBODY)
    for who in EVERYBODY:
        given = mechanism(id=f"by-{who}", zone_id="z-1")
        await post("/v1/mechanisms", who, {"mechanism": given, **WHY})
    path = "/v1/mechanisms/m-1"
    await post("/v1/mechanisms", "wang", {"mechanism": mechanism(), **WHY})
    await post("/v1/mechanisms", "wang", {"mechanism": mechanism(), **WHY}, "again")
    await post("/v1/mechanisms", "wang", {})
    wrong: tuple[dict[str, Any], ...] = (
        {"id": "M 1", "floor_minor": 1010, "step_up_percent": 40},
        {"id": "M 1"},
        {"floor_minor": 1010},
        {"time_bands": []},
        {"colour": "red"},
        {"zone_id": "z-9"},
        {"ceiling_minor": 1000},
    )
    for fields in wrong:
        body = {"mechanism": mechanism(**{"id": "bad"} | fields), **WHY}
        await post("/v1/mechanisms", "wang", body, " ".join(fields))
    await get(path, *EVERYBODY, note="draft")
    await get("/v1/mechanisms/none", "nobody", "wang")
    changed = {"mechanism": mechanism(ceiling_minor=680), **WHY}
    for who in ("nobody", "li", "zhao", "sun", "chen", "wang"):
        await put(path, who, changed)
    await put("/v1/mechanisms/none", "wang", changed)
    await put(path, "wang", {"mechanism": mechanism(id="m-2"), **WHY}, "another id")
    hours = [{"id": "day", "days": "all", "start": "07:30", "end": "18:30"}]
    unfit = mechanism(id="unfit", time_bands=hours, lot_types=["on_street", "surface"])
    await post("/v1/mechanisms", "wang", {"mechanism": unfit, **WHY})
    await post("/v1/mechanisms/unfit/approve", "li", WHY)
    for act in ("freeze", "resume"):
        await post(f"{path}/{act}", "li", WHY, "a draft")
    await post(f"{path}/reviews", "wang", WHY, "a draft")
    for who in ("nobody", "wang", "sun", "chen", "li"):
        await post(f"{path}/approve", who, WHY)
    await post(f"{path}/approve", "li", WHY, "again")
    await put(path, "wang", changed, "approved")
    await post("/v1/mechanisms/by-zhao/approve", "zhao", WHY)
    await post("/v1/mechanisms/by-wang/approve", "li", WHY, "over another")
    await post("/v1/mechanisms/none/approve", "li", WHY)
    await get(path, *EVERYBODY)
    await get("/v1/mechanisms", *EVERYBODY, note="approved")
    await _reviews(walk, path)
    for act in ("freeze", "resume"):
        for who in ("nobody", "wang", "sun", "chen", "li"):
            await post(f"{path}/{act}", who, WHY)
        await post(f"{path}/{act}", "li", WHY, "again")
        await post(f"/v1/mechanisms/none/{act}", "li", WHY)
        await post(f"{path}/reviews", "wang", WHY, f"after {act}")
        await get("/v1/mechanisms", "nobody", "wang", note=f"after {act}")
    await post(f"{path}/reviews/4/draft", "wang", WHY, "an older one")
    for who in ("nobody", "sun", "chen", "wang", "li"):
        await post(f"{path}/retire", who, WHY)
    await post(f"{path}/retire", "li", WHY, "again")
    await post("/v1/mechanisms/by-wang/retire", "zhao", WHY)
    await post("/v1/mechanisms/by-wang/retire", "wang", WHY)
    await post("/v1/mechanisms/none/retire", "wang", WHY)
    await post(f"{path}/reviews", "wang", WHY, "retired")
    await get("/v1/mechanisms", *EVERYBODY, note="afterwards")


async def _reviews(walk: Walk, path: str) -> None:
    get, pages, post = walk.get, walk.pages, walk.post
    await post(f"{path}/reviews", "wang", WHY, "nothing was seen")
    end = datetime.fromisoformat("2026-12-29T00:00:00+08:00")
    await walk.turn(end + timedelta(hours=9))
    await walk.moved("east", "z-2")
    await get("/v1/lots/east", note="in its new zone")
    await remember(walk.built, "street", end)
    await remember(walk.built, "sim", end)
    for who in EVERYBODY:
        await post(f"{path}/reviews", who, WHY)
    await post("/v1/mechanisms/none/reviews", "wang", WHY)
    await get(f"{path}/reviews", *EVERYBODY)
    await pages(f"{path}/reviews?limit=2", "wang")
    await get(f"{path}/reviews?cursor=x", "wang")
    await get("/v1/mechanisms/none/reviews", "wang")
    await get(f"{path}/reviews/1", *EVERYBODY)
    await get(f"{path}/reviews/99", "wang")
    await get(f"{path}/reviews/x", "wang")
    await post(f"{path}/reviews/1/draft", "wang", WHY, "an older one")
    await post(f"{path}/reviews/99/draft", "wang", WHY)
    newest = (await get(f"{path}/reviews?limit=1", "wang")).json()["items"][0]["number"]
    for who in ("nobody", "li", "sun", "chen", "wang"):
        await post(f"{path}/reviews/{newest}/draft", who, WHY)
    await post(f"{path}/reviews/{newest}/draft", "wang", WHY, "again")
    await get(f"{path}/reviews/{newest}", "wang", note="drafted")


async def people(walk: Walk) -> None:
    """People, their keys and tokens."""
    get, pages = walk.get, walk.pages
    await get("/v1/people", *EVERYBODY)
    await pages("/v1/people?limit=4", "sun")
    await get("/v1/people?limit=0", "sun")
    await get("/v1/people/me", *EVERYBODY)
    await _new_people(walk)
    await _keys(walk)
    await get("/v1/people/new/keys", "sun", note="afterwards")
    await get("/v1/people", "sun", note="afterwards")


async def _new_people(walk: Walk) -> None:
    get, pages, post = walk.get, walk.pages, walk.post
    new = {"person_id": "new", "name": "王芳", "roles": ["bureau_drafter"]}
    for who in EVERYBODY:
        await post("/v1/enrolments", who, new)
    for fields in (
        {"person_id": "op", "roles": ["operator"], "operator_id": "op-b", **WHY},
        {"person_id": "x", "roles": ["operator"]},
        {"person_id": "x", "roles": ["operator"], "operator_id": "none"},
        {"person_id": "x", "operator_id": "op-a"},
        {"person_id": "x", "name": None},
        {"person_id": "wang"},
        {"person_id": "wang", "name": None},
        {"person_id": "sun", "name": None},
        {"person_id": "command"},
        {"person_id": "A B", "name": "\t", "roles": ["king"], "colour": "red"},
        {"person_id": "x", "roles": []},
        {"person_id": "x", "reason": "x" * 501},
    ):
        await post("/v1/enrolments", "sun", new | fields, " ".join(fields))
    await post("/v1/enrolments", "sun", {})
    await get("/v1/enrolments", *EVERYBODY)
    await pages("/v1/enrolments?limit=1", "sun")
    await _enrolments(walk, new)
    await get("/v1/enrolments", "sun", note="afterwards")


async def _enrolments(walk: Walk, new: dict[str, Any]) -> None:
    ask, post = walk.recorder.ask, walk.post
    listed = (await walk.recorder.ask("li", "GET", "/v1/enrolments")).json()["items"]
    paths = {each["person_id"]: f"/v1/enrolments/{each['enrolment_id']}" for each in listed}
    await post("/v1/enrolments/ffffffffffff/confirm", "li", WHY)
    for who in ("nobody", "wang", "chen", "sun"):
        await post(f"{paths['new']}/confirm", who, WHY)
        await post(f"{paths['op']}/withdraw", who, WHY)
    await post(f"{paths['op']}/withdraw", "sun", WHY, "again")
    await post(f"{paths['op']}/confirm", "li", WHY, "withdrawn")
    code = (await post(f"{paths['new']}/confirm", "li", WHY)).json()["code"]
    await ask("new", "POST", f"{paths['new']}/complete", {"code": "AAAA"}, note="another")
    done = await ask("new", "POST", f"{paths['new']}/complete", {"code": code})
    await ask("new", "POST", f"{paths['new']}/complete", {"code": code}, note="again")
    walk.recorder.people["new"] = {"Authorization": f"Bearer {done.json()['key']['key']}"}
    roles = new | {"name": None, "roles": ["bureau_approver"]}
    started = (await post("/v1/enrolments", "sun", roles, "roles")).json()
    path = f"/v1/enrolments/{started['enrolment_id']}"
    code = (await post(f"{path}/confirm", "li", WHY)).json()["code"]
    await ask("nobody", "POST", f"{path}/complete", {"code": code})
    await ask("new", "POST", f"{path}/complete", {"code": code})
    for who in ("nobody", "wang", "li", "chen", "sun"):
        await ask(who, "DELETE", "/v1/people/new/roles/bureau_approver")
    await ask("sun", "DELETE", "/v1/people/new/roles/bureau_approver", note="again")
    await ask("sun", "DELETE", "/v1/people/none/roles/operations")


async def _keys(walk: Walk) -> None:
    ask, get, post = walk.recorder.ask, walk.get, walk.post
    for person_id in ("new", "wang", "none"):
        await get(f"/v1/people/{person_id}/keys", *EVERYBODY)
    for who in EVERYBODY:
        await walk.tick()
        await post("/v1/people/wang/keys", who, WHY)
    await post("/v1/people/none/keys", "sun", {})
    await walk.tick()
    soon = (walk.now + timedelta(days=3)).isoformat()
    await post("/v1/people/new/keys", "sun", {"expires_at": soon})
    issued = (await post("/v1/people/new/keys", "new", {"expires_at": soon})).json()
    await post("/v1/people/new/keys", "new", {"expires_at": START.isoformat()}, "past")
    await post("/v1/people/new/keys", "new", {"expires_at": "soon"}, "no time")
    keys = "/v1/people/new/keys"
    for who in ("nobody", "wang", "li", "chen"):
        await post(f"{keys}/{issued['key_id']}/rotate", who, {})
        await ask(who, "DELETE", f"{keys}/{issued['key_id']}")
    shown = {"Authorization": f"Bearer {issued['key']}"}
    await ask("new", "GET", "/v1/people/me", headers=shown)
    token = (await ask("new", "POST", "/v1/tokens", headers=shown)).json()["token"]
    by_token = {"Authorization": f"Bearer {token}"}
    await ask("new", "GET", "/v1/people/me", headers=by_token, note="by a token")
    await ask("new", "POST", "/v1/tokens", headers=by_token, note="by a token")
    for who in EVERYBODY:
        await post("/v1/tokens", who)
    await walk.tick()
    await post(f"{keys}/{issued['key_id']}/rotate", "sun", {"grace_minutes": 5})
    second = (await post(f"{keys}/{issued['key_id']}/rotate", "new", {"grace_minutes": 5})).json()
    await post(f"{keys}/{issued['key_id']}/rotate", "new", {}, "again")
    await walk.tick()
    third = (await post(f"{keys}/{second['key_id']}/rotate", "new", {"grace_minutes": 0})).json()
    await post(f"{keys}/{third['key_id']}/rotate", "new", {"grace_minutes": -1}, "before")
    await post(f"/v1/people/wang/keys/{third['key_id']}/rotate", "wang", {})
    own = {"Authorization": f"Bearer {third['key']}"}
    await walk.tick()
    fourth = (
        await ask("new", "POST", f"{keys}/{third['key_id']}/rotate", {}, headers=own, note="own")
    ).json()
    await ask("sun", "DELETE", f"{keys}/none")
    await ask("sun", "DELETE", f"/v1/people/wang/keys/{third['key_id']}")
    for note in ("", "again"):
        await ask("sun", "DELETE", f"{keys}/{third['key_id']}", note=note)
    await ask("new", "GET", "/v1/people/me", headers=own, note="ended")
    await ask("new", "GET", "/v1/people/me", headers=by_token, note="in its grace")
    await walk.turn(walk.now + timedelta(minutes=20))
    await ask("new", "GET", "/v1/people/me", headers=by_token, note="too late")
    if "key" in fourth:
        own = {"Authorization": f"Bearer {fourth['key']}"}
        await ask("new", "DELETE", f"{keys}/{fourth['key_id']}", headers=own, note="own")


async def operators(walk: Walk) -> None:
    """Operators, their feeds and refused messages."""
    get, pages = walk.get, walk.pages
    await get("/v1/operators", *EVERYBODY)
    await pages("/v1/operators?limit=1", "sun")
    await get("/v1/operators?colour=red", "sun")
    for operator_id in ("op-a", "op-b", "op-none", "none", "A"):
        await get(f"/v1/operators/{operator_id}", *EVERYBODY)
    await get("/v1/feeds", *EVERYBODY)
    await pages("/v1/feeds?limit=1", "sun", "chen")
    for query in (
        *("operator=op-b", "operator=none", "gateway=gw-a", "data_state=live"),
        *("data_state=stale", "data_state=x", "gateway=A", "cursor=gw-a"),
    ):
        await get(f"/v1/feeds?{query}", "sun", "chen", "qian")
    for gateway_id in ("gw-a", "gw-a2", "gw-s", "none"):
        await get(f"/v1/feeds/{gateway_id}", *EVERYBODY)
    await pages("/v1/feeds/gw-a?limit=3", "sun")
    await get("/v1/feeds/gw-a?data_state=live", "sun")
    await get("/v1/feeds/gw-a?data_state=unknown", "sun")
    await get("/v1/dead-letters", *EVERYBODY)
    await pages("/v1/dead-letters?limit=2", "sun", "chen")
    for query in (
        *("lot=street", "gateway=gw-s", "reason=invalid", "reason=A", "cursor=2", "cursor=x"),
        "from=2026-11-20T01:28:00Z&to=2026-11-21T01:28:00Z",
        "to=2026-11-20T01:28:30Z",
        "from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z",
    ):
        await get(f"/v1/dead-letters?{query}", "sun", "chen")
    for number in ("1", "2", "3", "4", "5", "99", "0", "x"):
        await get(f"/v1/dead-letters/{number}", "sun", "chen", "qian")
    await get("/v1/dead-letters/1", "nobody", "wang", "li")
    for who, gateway in (("chen", "op-b/gateways/gw-s"), ("sun", "op-a/gateways/none")):
        for method in ("POST", "DELETE"):
            path = f"/v1/operators/{gateway}/credentials"
            await walk.recorder.ask(who, method, path)
    path = "/v1/operators/op-a/gateways/gw-a/credentials"
    for method in ("POST", "DELETE"):
        for who in ("wang", "chen", "sun"):
            await walk.recorder.ask(who, method, path)


async def closures(walk: Walk) -> None:
    """Lots that are closed for a time, and lots that are retired."""
    path = "/v1/lots/east"
    begins, ends = walk.now - timedelta(hours=1), walk.now + timedelta(hours=1)
    closing = {"closed_from": begins.isoformat(), "closed_until": ends.isoformat()}
    await walk.patch(path, EVERYBODY, {})
    await walk.patch(path, ("chen",), closing | {"closed_reason": "检修", **WHY}, "close")
    await walk.patch(path, ("chen",), closing | {"closed_reason": "检修"}, "again")
    for fields in (
        {"closed_until": begins.isoformat()},
        {"closed_from": None, "closed_reason": "检修"},
        {"closed_from": "soon", "closed_reason": "x" * 201, "retired": 1, "colour": "red"},
    ):
        await walk.patch(path, ("sun",), fields, " ".join(fields))
    await walk.patch("/v1/lots/sim", ("chen",), {"retired": True})
    await walk.patch("/v1/lots/sim", ("sun",), {"retired": True}, "retire")
    await walk.patch("/v1/lots/none", ("sun",), {})
    here = "lon=120.55&lat=36.05&min_free=0"
    for query in ("", "&source=database"):
        for told in (
            *(f"{path}?{query}", f"/v1/lots?status=closed{query}", f"/v1/nearest?{here}{query}"),
            *(f"/v1/lots/sim?{query}", f"/v1/lots/sim/spaces?{query}", f"/v1/city?{query}"),
            f"/v1/lots?status=closed&f=geojson{query}",
        ):
            await walk.get(told.replace("?&", "?").rstrip("?"), note="closures")
    await walk.get("/v1/lots/sim/occupancy?step=86400", note="closures")
    await walk.get("/v1/operators", "qian", note="closures")
    stay = {"lot_id": "sim", "entry": ends.isoformat(), "exit": ends.isoformat()}

    async def is_refused() -> bool:
        return (
            await walk.recorder.api.post("/v1/quotes", json=stay)
        ).status_code == HTTPStatus.GONE

    await until(is_refused)
    await walk.post("/v1/quotes", "nobody", stay, "closures")
    await walk.patch("/v1/lots/sim", ("sun",), {"retired": False}, "take back")
    await walk.patch(path, ("chen",), {"closed_from": None}, "open")
    await walk.get(path, note="open again")


async def roles(walk: Walk) -> None:
    """Every operation by whoever has not asked for it yet, about what is not there."""
    recorder = walk.recorder
    for operation in recorder.operations:
        method, _, path = operation.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda found: ABSENT.get(found[1], "nowhere"), path)
        body = None if method == "GET" else WHY
        for who in EVERYBODY:
            if (who, operation) not in recorder.asked:
                keep = path != "/metrics"
                await recorder.ask(who, method, path, body, keep_body=keep)


async def ending(walk: Walk) -> None:
    """What streams tell as the process ends: until then they would not."""
    for query in (
        "lon=120.3801&lat=36.0601&radius_m=150",
        "bbox=120.3,36,120.4,36.2",
        "bbox=0,0,1,1",
        "lon=120.3801&lat=36.0601&radius_m=150&f=columns&crs=gcj02",
        "bbox=0,0,1,1&f=columns",
    ):
        await walk.get(f"/v1/stream?{query}")


async def slow(walk: Walk) -> None:
    """What is answered where the database takes too long."""
    async with walk.built.connection.transaction():
        await walk.built.connection.execute("LOCK TABLE lot")
        for path in ("/v1/lots/garage/spaces", "/v1/lots/garage", "/v1/feeds"):
            await walk.get(path, "sun")
        for path in ("/v1/lots/garage/spaces", "/v1/lots/garage"):
            await walk.get(f"{path}?source=database", "sun")


async def away(walk: Walk) -> None:
    """What is answered while the database is away."""
    here = "lon=120.3801&lat=36.0601"
    for path in (
        *("/healthz", "/readyz", "/v1/city", "/v1/lots/garage", "/v1/lots/unheard", "/v1/lots/no"),
        *("/v1/map", "/v1/districts", "/v1/map/places"),
        *("/v1/lots?limit=3", "/v1/lots?limit=2&f=geojson", "/v1/lots?lot_type=on_street"),
        *(f"/v1/nearest?{here}", f"/v1/spaces/nearest?{here}"),
        f"/v1/nearest?{here}&space_class=ev",
        *("/v1/lots/garage/spaces", "/v1/lots/garage/occupancy", "/v1/zones", "/v1/zones/z-1"),
        *(f"/v1/nearest?{here}&source=database", f"/v1/spaces/nearest?{here}&source=database"),
        *("/v1/lots/garage?source=database", "/v1/city?source=database"),
        *("/v1/tariffs", "/v1/tariffs/t-1/versions/1", "/v1/price-controls", "/v1/calendar"),
        "/v1/mechanisms",
    ):
        await walk.get(path)
    await walk.get("/v1/people/me", "wang")
    stay = {"lot_id": "full", "entry": DECEMBER, "exit": "2026-12-01T01:00:00+08:00"}
    await walk.post("/v1/quotes", "nobody", stay)


async def starting(walk: Walk) -> None:
    """What is answered before there is a city."""
    here = "lon=120.3801&lat=36.0601"
    for path in ("/healthz", "/readyz", "/v1/city", "/v1/map", "/v1/districts", "/v1/lots"):
        await walk.get(path)
    for path in (f"/v1/nearest?{here}", f"/v1/stream?{here}"):
        await walk.get(path)
    await walk.get("/v1/people", "nobody", "sun")


async def whole(walk: Walk) -> None:
    """The platform's own description, as far as it is to stay, and its figures' names."""
    recorder = walk.recorder
    told = (await recorder.ask("nobody", "GET", "/openapi.json", keep_body=False)).json()
    operations = {}
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            operations[f"{method.upper()} {path}"] = {
                "operation": operation["operationId"],
                "parameters": [f"{one['in']} {one['name']}" for one in operation["parameters"]]
                if "parameters" in operation
                else [],
            }
    recorder.keep("operations", operations)
    figures = await recorder.ask("nobody", "GET", "/metrics", keep_body=False)
    lines = figures.text.splitlines()
    recorder.keep("figures", {"lines": sorted({one for one in lines if one.startswith("#")})})


CHAPTERS: Final[tuple[Callable[[Walk], Awaitable[None]], ...]] = (
    public,
    operators,
    errors,
    zones,
    tariffs,
    quotes,
    controls,
    decisions,
    mechanisms,
    people,
    closures,
    roles,
    whole,
)
