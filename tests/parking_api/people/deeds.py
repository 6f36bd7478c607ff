"""What every operation is asked with, about things that are the caller's own, others', or no one's.

Each call gets a thing of its own where the one before could have used it up.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

from tests.parking_api.builders import Builder, square
from tests.parking_api.bureau import Bureau, document
from tests.parking_api.mechanisms.moving import mechanism
from tests.parking_api.people.keys import body

# Of the caller, or of their operator; of somebody else; of nobody, as it is not there. What anybody
# may read once it is published is `own` when it is, and `foreign` before.
Whose = Literal["own", "foreign", "absent"]
WHY: Final = {"reason": "测试"}
ABSENT: Final = "ffffffffffff"
TEXT: Final = {"zh": "文", "en": "text"}
# Who drafts; for the others, an author of their own does.
DRAFTERS: Final = ("drafter", "both")


@dataclass(frozen=True)
class Asked:
    """The rest of a request: what its operation's path takes, its query and its body."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None


@dataclass
class City:
    """A city with people of every role, and makers of things for them.

    Attributes:
        bureau: The API and its clock; a drafter `author` and an approver `second` beside those who
            are tried.
        built: Writes lots.
        headers: What everybody sends, by name.
        letters: Dead letters of op-a and of op-b.
        made: How many names were given.
        kept: What can be asked again, as whoever asks is refused: by operation, whose and who.
    """

    bureau: Bureau
    built: Builder
    headers: dict[str, dict[str, str]]
    letters: dict[Whose, int]
    made: int = 0
    kept: dict[tuple[str, Whose, str], Asked] = field(default_factory=dict)

    def new(self) -> str:
        """A part of a name that nothing has yet."""
        self.made += 1
        return str(self.made)

    def later(self, days: int = 30) -> str:
        """A time to come."""
        return (self.bureau.clock.now + timedelta(days=days)).isoformat()

    def author(self, who: str, whose: Whose) -> dict[str, str]:
        """Who drafts a thing that is to be somebody's own, or another's."""
        return self.headers[who if whose == "own" and who in DRAFTERS else "author"]

    async def post(self, path: str, by: dict[str, str], **fields: Any) -> Any:
        """Post something, which must succeed."""
        answer = await self.bureau.post(path, by, **fields)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    async def version(self, by: dict[str, str], *steps: str) -> dict[str, Any]:
        """Draft a tariff for a lot of its own, and take it through some steps."""
        name = self.new()
        await self.built.lot(f"lot-{name}", lot_type="surface")
        given = {"document": document(f"t-{name}"), "applies_to": {"lots": [f"lot-{name}"]}}
        await self.post("/v1/tariffs", by, **given)
        for step in steps:
            taker = by if step == "submit" else self.headers["second"]
            await self.post(f"/v1/tariffs/t-{name}/versions/1/{step}", taker)
        return {"tariff_id": f"t-{name}", "version": 1}

    async def published(self, by: dict[str, str]) -> dict[str, Any]:
        return await self.version(by, "submit", "approve", "publish")

    def zone(self) -> dict[str, Any]:
        """A zone to draft, where there is none."""
        name = self.new()
        return {
            "zone_id": f"zone-{name}",
            "name": TEXT,
            "zone_class": 2,
            "valid_from": self.later(),
            "geometry": square(100 + int(name) * 0.01, 30, 0.005),
            **WHY,
        }

    def control(self) -> dict[str, Any]:
        """A price control that no price breaks."""
        return {
            "price_control_id": f"c-{self.new()}",
            "legal_reference": TEXT,
            "base_minor": 1_000_000,
            "valid_from": self.later(),
            **WHY,
        }

    def enrolment(self) -> dict[str, Any]:
        """An enrolment of somebody new."""
        return {"person_id": f"new-{self.new()}", "name": "新", "roles": ["operations"]}


Maker = Callable[[City, str, Whose], Awaitable[Asked]]


def plain(**query: Any) -> Maker:
    """Ask about nothing that is anybody's."""

    async def make(_: City, __: str, ___: Whose) -> Asked:
        return Asked(query=query)

    return make


def of(own: Asked, foreign: Asked, absent: Asked) -> Maker:
    """Ask about things that stand there all the time."""

    async def make(_: City, __: str, whose: Whose) -> Asked:
        return {"own": own, "foreign": foreign, "absent": absent}[whose]

    return make


def named(name: str, own: str, foreign: str, **fields: Any) -> Maker:
    """Ask about things that stand there all the time, each by one name."""
    return of(*(Asked({name: value}, **fields) for value in (own, foreign, "absent")))


def about_version(*steps: str, **fields: Any) -> Maker:
    """Ask about a version drafted by the caller or another, some steps on."""

    async def make(city: City, who: str, whose: Whose) -> Asked:
        if whose == "absent":
            return Asked({"tariff_id": "absent", "version": 1}, body=WHY | fields)
        path = await city.version(city.author(who, whose), *steps)
        return Asked(path, body=WHY | fields)

    return make


def shown_version(**query: Any) -> Maker:
    """Ask about a version that is published, or a draft."""

    async def make(city: City, _: str, whose: Whose) -> Asked:
        if whose == "absent":
            return Asked({"tariff_id": "absent", "version": 1}, query)
        author = city.headers["author"]
        path = await (city.published(author) if whose == "own" else city.version(author))
        return Asked(path, query)

    return make


async def quote(city: City, _: str, whose: Whose) -> Asked:
    what = {"lot_id": "street"} if whose == "own" else {"document": document()}
    return Asked(body=what | {"entry": city.later(1), "exit": city.later(2)})


async def new_zone(city: City, _: str, __: Whose) -> Asked:
    return Asked(body=city.zone())


def about_zone(**fields: Any) -> Maker:
    async def make(city: City, who: str, whose: Whose) -> Asked:
        zone = city.zone()
        if whose != "absent":
            await city.post("/v1/zones", city.author(who, whose), **zone)
        return Asked({"zone_id": zone["zone_id"]}, body=WHY | fields)

    return make


async def checked_zone(city: City, who: str, whose: Whose) -> Asked:
    return Asked((await about_zone()(city, who, whose)).path)


async def changed_zone(city: City, who: str, whose: Whose) -> Asked:
    asked = await about_zone()(city, who, whose)
    zone = city.zone()
    del zone["zone_id"]
    return Asked(asked.path, body=zone)


async def ended_zone(city: City, _: str, whose: Whose) -> Asked:
    zone = "absent" if whose == "absent" else "z-1"
    ending = {"valid_to": city.later(), "leaves_unpriced": True}
    return Asked({"zone_id": zone}, body=WHY | ending)


async def new_tariff(city: City, _: str, __: Whose) -> Asked:
    target = {"lots": ["street"]}
    return Asked(body=WHY | {"document": document(f"t-{city.new()}"), "applies_to": target})


async def further_version(city: City, who: str, whose: Whose) -> Asked:
    asked = await about_version(copy_of=1)(city, who, whose)
    return Asked({"tariff_id": asked.path["tariff_id"]}, body=asked.body)


async def changed_version(city: City, who: str, whose: Whose) -> Asked:
    asked = await about_version()(city, who, whose)
    given = {"document": document(asked.path["tariff_id"]), "applies_to": {"lots": ["street"]}}
    return Asked(asked.path, body=WHY | given)


async def scheduled_version(city: City, who: str, whose: Whose) -> Asked:
    asked = await about_version("submit", "approve")(city, who, whose)
    return Asked(asked.path, body=asked.body | {"effective_from": city.later()})


async def suspended_version(city: City, who: str, whose: Whose) -> Asked:
    """A version that the caller has suspended, or another has."""
    asked = await about_version("submit", "approve", "publish")(city, who, whose)
    if whose != "absent":
        path = "/v1/tariffs/{tariff_id}/versions/{version}/suspend".format(**asked.path)
        await city.post(path, city.author(who, whose))
    return asked


async def decision(city: City, who: str, whose: Whose) -> Asked:
    """A decision that the caller has asked for, or another has."""
    if whose == "absent":
        return Asked({"decision_id": ABSENT}, body=WHY)
    asked = await city.post(
        "/v1/imports", city.author(who, whose), digest=f"{int(city.new()):064x}"
    )
    return Asked({"decision_id": asked["decision_id"]}, body=WHY)


async def new_import(city: City, _: str, __: Whose) -> Asked:
    return Asked(body=WHY | {"digest": f"{int(city.new()):064x}"})


async def new_control(city: City, _: str, __: Whose) -> Asked:
    return Asked(body=city.control())


async def control(city: City, who: str, whose: Whose) -> Asked:
    """A price control drafted by the caller, or another."""
    given = city.control()
    if whose != "absent":
        await city.post("/v1/price-controls", city.author(who, whose), **given)
    return Asked({"control_id": given["price_control_id"]}, body=WHY)


async def shown_control(city: City, _: str, whose: Whose) -> Asked:
    """A price control that is approved, or a draft."""
    asked = await control(city, "author", "absent" if whose == "absent" else "foreign")
    if whose == "own":
        path = f"/v1/price-controls/{asked.path['control_id']}/approve"
        await city.post(path, city.headers["second"])
    return asked


async def ended_control(city: City, _: str, whose: Whose) -> Asked:
    asked = await shown_control(city, "author", "absent" if whose == "absent" else "own")
    return Asked(asked.path, body=WHY | {"valid_to": city.later(60)})


async def new_mechanism(city: City, _: str, __: Whose) -> Asked:
    return Asked(body=WHY | {"mechanism": mechanism(id=f"m-{city.new()}")})


async def about_mechanism(city: City, who: str, whose: Whose) -> Asked:
    """A mechanism drafted by the caller, or another."""
    given = mechanism(id=f"m-{city.new()}")
    if whose != "absent":
        await city.post("/v1/mechanisms", city.author(who, whose), mechanism=given)
    return Asked({"mechanism_id": given["id"]}, body=WHY)


async def changed_mechanism(city: City, who: str, whose: Whose) -> Asked:
    asked = await about_mechanism(city, who, whose)
    return Asked(asked.path, body=WHY | {"mechanism": mechanism(id=asked.path["mechanism_id"])})


async def shown_mechanism(city: City, who: str, whose: Whose) -> Asked:
    """The mechanism that is approved, or a draft."""
    if whose == "own":
        return Asked({"mechanism_id": "m-1"}, body=WHY)
    return await about_mechanism(city, who, whose)


async def review(city: City, _: str, whose: Whose) -> Asked:
    """A fresh review of the mechanism that is approved."""
    if whose == "absent":
        return Asked({"mechanism_id": "m-1", "number": 9999}, body=WHY)
    made = await city.post("/v1/mechanisms/m-1/reviews", city.headers["author"])
    return Asked({"mechanism_id": "m-1", "number": made["number"]}, body=WHY)


def about_person(**fields: Any) -> Maker:
    async def make(city: City, who: str, whose: Whose) -> Asked:
        person = who if whose == "own" and city.headers[who] else "author"
        return Asked({"person_id": "absent" if whose == "absent" else person}, **fields)

    return make


def about_key(**fields: Any) -> Maker:
    """Ask about a fresh key of the caller's, or another's."""

    async def make(city: City, who: str, whose: Whose) -> Asked:
        if whose == "absent":
            return Asked({"person_id": "absent", "key_id": ABSENT}, **fields)
        owner = who if whose == "own" and who in ROLES else "author"
        issued = await city.bureau.api.post(
            f"/v1/people/{owner}/keys", json={}, headers=city.headers[owner]
        )
        return Asked({"person_id": owner, "key_id": body(issued, 201)["key_id"]}, **fields)

    return make


async def roles(_: City, who: str, whose: Whose) -> Asked:
    """A role that the person has not, so that nothing changes."""
    person = {"own": who if who in ROLES else "author", "foreign": "author", "absent": "absent"}
    role = "bureau_approver" if who == "operations" else "operations"
    return Asked({"person_id": person[whose], "role": role})


async def new_enrolment(city: City, who: str, whose: Whose) -> Asked:
    if whose == "own" and who in ROLES:
        return Asked(body={"person_id": who})
    return Asked(body=city.enrolment())


async def enrolment(city: City, who: str, whose: Whose) -> Asked:
    """An enrolment that the caller has started, or another has."""
    if whose == "absent":
        return Asked({"enrolment_id": ABSENT}, body=WHY)
    is_own = whose == "own" and who == "operations"
    starter = city.headers["operations" if is_own else "second-operations"]
    started = await city.post("/v1/enrolments", starter, **city.enrolment())
    return Asked({"enrolment_id": started["enrolment_id"]}, body=WHY)


async def code(city: City, who: str, whose: Whose) -> Asked:
    """An enrolment's code: the right one, or a wrong one."""
    asked = await enrolment(city, who, "absent" if whose == "absent" else "foreign")
    given = {"code": "AAAA-AAAA-AAAA-AAAA"}
    if whose == "own":
        path = f"/v1/enrolments/{asked.path['enrolment_id']}/confirm"
        given = {"code": (await city.post(path, city.headers["second"]))["code"]}
    return Asked(asked.path, body=given)


async def letter(city: City, _: str, whose: Whose) -> Asked:
    return Asked({"dead_letter_id": city.letters.get(whose, 999_999)})


HERE: Final = {"lon": 120.38, "lat": 36.06}
ROLES: Final = ("operator", "drafter", "approver", "both", "operations")
LOT: Final = named("lot_id", "street", "theirs")
PASSWORDS: Final = of(
    Asked({"operator_id": "op-a", "gateway_id": "gw-a2"}),
    Asked({"operator_id": "op-b", "gateway_id": "gw-s"}),
    Asked({"operator_id": "op-none", "gateway_id": "gw-none"}),
)
REPORT: Final = b'{"epoch": 1, "seq": 1, "observed_at": "2026-11-22T01:30:00Z", "free": 3}'


def _report(gateway: str) -> Asked:
    return Asked({"gateway_id": gateway, "lot_id": "street", "kind": "count"}, content=REPORT)


DEEDS: Final[dict[str, Maker]] = {
    "nearestLots": plain(**HERE),
    "streamLots": plain(**HERE),
    "listLots": plain(),
    "getLot": LOT,
    "changeLot": named("lot_id", "street", "theirs", body={}),
    "getLotOccupancy": LOT,
    "nearestSpaces": plain(**HERE),
    "getLotSpaces": LOT,
    "getMap": plain(),
    "listDistricts": plain(),
    "listMapPlaces": plain(),
    "findPlaces": plain(q="lot"),
    "getCity": plain(),
    "getHealth": plain(),
    "getReadiness": plain(),
    "getMetrics": plain(),
    "getOperations": plain(),
    "quoteStay": quote,
    "listZones": plain(),
    "draftZone": new_zone,
    "getZone": named("zone_id", "z-1", "z-1"),
    "changeZone": changed_zone,
    "listZoneDrafts": plain(),
    "getZoneDraft": about_zone(),
    "checkZone": checked_zone,
    "publishZone": about_zone(),
    "withdrawZone": about_zone(),
    "endZone": ended_zone,
    "listTariffs": plain(),
    "draftTariff": new_tariff,
    "draftVersion": further_version,
    "getVersion": shown_version(),
    "changeVersion": changed_version,
    "submitVersion": about_version(),
    "approveVersion": about_version("submit"),
    "scheduleVersion": scheduled_version,
    "publishVersion": about_version("submit", "approve"),
    "withdrawVersion": about_version(),
    "lintTariff": of(*[Asked(body={"document": document()})] * 3),
    "lintVersion": shown_version(),
    "compareVersions": shown_version(to=1),
    "listSuspensions": plain(),
    "suspendVersion": about_version("submit", "approve", "publish"),
    "confirmSuspension": suspended_version,
    "resumeVersion": suspended_version,
    "listDecisions": plain(),
    "confirmDecision": decision,
    "withdrawDecision": decision,
    "askForImport": new_import,
    "listPriceControls": plain(),
    "draftPriceControl": new_control,
    "getPriceControl": shown_control,
    "approvePriceControl": control,
    "endPriceControl": ended_control,
    "listYears": plain(),
    "publishYear": of(
        *[Asked({"year": 2028}, body=WHY | {"holidays": [], "makeup_workdays": []})] * 3
    ),
    "listMechanisms": plain(),
    "draftMechanism": new_mechanism,
    "getMechanism": shown_mechanism,
    "changeMechanism": changed_mechanism,
    "approveMechanism": about_mechanism,
    "freezeMechanism": about_mechanism,
    "resumeMechanism": about_mechanism,
    "retireMechanism": about_mechanism,
    "listReviews": shown_mechanism,
    "runReview": shown_mechanism,
    "getReview": review,
    "draftReviewedVersion": review,
    "getNotice": shown_version(),
    "makeToken": plain(),
    "listPeople": plain(),
    "getMyself": plain(),
    "listKeys": about_person(),
    "issueKey": about_person(body={}),
    "rotateKey": about_key(body={}),
    "revokeKey": about_key(),
    "withdrawRole": roles,
    "listEnrolments": plain(),
    "startEnrolment": new_enrolment,
    "confirmEnrolment": enrolment,
    "completeEnrolment": code,
    "withdrawEnrolment": enrolment,
    "listOperators": plain(),
    "issueGatewayPassword": PASSWORDS,
    "revokeGatewayPassword": PASSWORDS,
    "getOperator": named("operator_id", "op-a", "op-b"),
    "listFeeds": of(
        Asked(), Asked(query={"operator": "op-b"}), Asked(query={"operator": "op-none"})
    ),
    "getFeed": named("gateway_id", "gw-a", "gw-s"),
    "postReport": of(_report("gw-a"), _report("gw-s"), _report("gw-none")),
    "listDeadLetters": of(
        Asked(), Asked(query={"gateway": "gw-s"}), Asked(query={"gateway": "gw-none"})
    ),
    "getDeadLetter": letter,
}
