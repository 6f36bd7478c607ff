"""The bureau's people, and what they do over and over."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from parking_api.tariffs.examples import CLASS_1_ROAD
from tests.parking_api.people.keys import keyed

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[120.3, 36.0], [120.5, 36.0], [120.5, 36.1], [120.3, 36.1], [120.3, 36.0]]],
}


async def person(database_url: str, person_id: str, *roles: str) -> dict[str, str]:
    """Add a person with a key; give the headers that they ask with."""
    return await keyed(database_url, person_id, *roles, at=BEFORE)


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def document(tariff_id: str = "t-1", price: int = 300, **fields: Any) -> dict[str, Any]:
    """A tariff of so many fen a half hour, all day, unless `fields` say otherwise."""
    return {
        "id": tariff_id,
        "name": {"zh": "一区路面", "en": "Zone 1 street"},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "periods": [
            {
                "id": "all",
                "days": "all",
                "start": "00:00",
                "end": "24:00",
                "charge": "unit",
                "unit_s": 1800,
                "rounding": "up",
                "tiers": [{"from_s": 0, "price_minor": price}],
            }
        ],
        "tier_clock": "window",
        "boundary": "unit_start",
        "grace": {"mode": "none"},
        "version_policy": "at_entry",
    } | fields


def class_1_road(tariff_id: str) -> dict[str, Any]:
    """Qingdao's class 1 road berths, both seasons."""
    return CLASS_1_ROAD | {"id": tariff_id}


@dataclass
class Bureau:
    """Two people of the bureau and the API that they use."""

    api: httpx.AsyncClient
    clock: Clock
    drafter: dict[str, str]
    approver: dict[str, str]

    async def post(self, path: str, who: dict[str, str], **body: Any) -> httpx.Response:
        """Post a body with a reason."""
        return await self.api.post(path, json={"reason": "测试", **body}, headers=who)

    async def confirmed(self, asked: httpx.Response) -> Any:
        """Confirm, as the approver, what the drafter has asked for; what came of it."""
        assert asked.status_code == 202, asked.text
        path = f"/v1/decisions/{asked.json()['decision_id']}/confirm"
        done = await self.post(path, self.approver)
        assert done.status_code == 200, done.text
        return done.json()["result"]

    async def decided(self, path: str, **body: Any) -> Any:
        """Ask for something as the drafter, and confirm it as the approver; what came of it."""
        return await self.confirmed(await self.post(path, self.drafter, **body))

    async def publish_year(self, year: int, **days: Any) -> Any:
        """Publish a year's calendar, by both."""
        body = {"holidays": [], "makeup_workdays": [], "reason": "国办发明电"} | days
        path = f"/v1/calendar/{year}"
        return await self.confirmed(await self.api.put(path, json=body, headers=self.drafter))

    async def publish_zone(self, zone_id: str, **body: Any) -> httpx.Response:
        """Publish a zone's draft."""
        return await self.post(f"/v1/zones/{zone_id}/publish", self.approver, **body)

    async def draft(self, **body: Any) -> httpx.Response:
        """Draft a tariff for zone z-1's street, unless `body` says otherwise."""
        target = {"zones": ["z-1"], "lot_types": ["on_street"]}
        given = {"document": document(), "applies_to": target} | body
        return await self.post("/v1/tariffs", self.drafter, **given)

    async def act(self, path: str, act: str, who: dict[str, str], **body: Any) -> Any:
        """Do something to a version, which must succeed."""
        answer = await self.post(f"{path}/{act}", who, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approved(self, **body: Any) -> str:
        """Draft a tariff, submit it, approve it; give its path."""
        return await self.carried(await self.draft(**body))

    async def carried(self, drafted: httpx.Response) -> str:
        """Submit and approve what was drafted; give its path."""
        assert drafted.status_code == 201, drafted.text
        path = drafted.headers["location"]
        await self.act(path, "submit", self.drafter)
        await self.act(path, "approve", self.approver)
        return str(path)

    async def version(self, tariff_id: str, **body: Any) -> str:
        """Draft a further version, submit it, approve it; give its path."""
        drafted = await self.post(f"/v1/tariffs/{tariff_id}/versions", self.drafter, **body)
        return await self.carried(drafted)

    async def published(self, **body: Any) -> str:
        """Draft, submit, approve and publish a tariff; give its path."""
        path = await self.approved(**body)
        await self.act(path, "publish", self.approver)
        return path


async def get(bureau: Bureau, path: str, **headers: str) -> Any:
    """Ask, expect 200, and give the body."""
    answer = await bureau.api.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, kind: str) -> Any:
    """Expect a problem of a kind; give its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:onelot:problem:{kind}", told
    assert told["status"] == status
    return told


async def fee(
    bureau: Bureau, lot_id: str = "street", entry: str = "2026-12-01T00:00:00+08:00"
) -> Any:
    """What half an hour costs; where it has no price, the problem's type."""
    exit_ = (datetime.fromisoformat(entry) + timedelta(minutes=30)).isoformat()
    stay = {"lot_id": lot_id, "entry": entry, "exit": exit_}
    told = (await bureau.api.post("/v1/quotes", json=stay)).json()
    return told.get("total_minor", told.get("type"))
