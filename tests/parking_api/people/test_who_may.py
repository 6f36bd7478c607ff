"""Every operation, asked for by everybody, about what is theirs and what is not.

The table says who is let in. A new operation has no row, and the test fails until it has one.
"""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import httpx
import pytest

from parking_api.openapi import operations
from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, Clock
from tests.parking_api.feeding import refuse
from tests.parking_api.feeds.posting import LOGIN, set_password
from tests.parking_api.mechanisms.moving import approved, seen
from tests.parking_api.people.deeds import DEEDS, ROLES, Asked, City, Whose
from tests.parking_api.people.keys import keyed, shown
from tests.parking_api.serving import app_of, close_streams, serving

# Of each caller: + is let in, . is refused with 401, x with 403, 0 with 404. Two signs: about what
# is the caller's own, and about what is another's (of what is for anyone once it is published: when
# it is, and before). One sign: about both. `both` has the roles of drafter and approver.
# By: what a caller shows; `any` is a key or a token, `key` a key alone (with a token 401).
# Then: the statuses of those who are let in. The bodies are valid, but for some whose deed the
# state of things refuses with 409.
TABLE = """
operation              nobody  operator  drafter  approver  both  operations  by   status
nearestLots            +       +         +        +         +     +           any  200
streamLots             +       +         +        +         +     +           any  200
listLots               +       +         +        +         +     +           any  200
getLot                 +       +         +        +         +     +           any  200
changeLot              .       +x        x        x         x     +           any  200
getLotOccupancy        +       +         +        +         +     +           any  200
nearestSpaces          +       +         +        +         +     +           any  200
getLotSpaces           +       +         +        +         +     +           any  200
getMap                 +       +         +        +         +     +           any  200
listDistricts          +       +         +        +         +     +           any  200
listMapPlaces          +       +         +        +         +     +           any  200
findPlaces             +       +         +        +         +     +           any  200
getCity                +       +         +        +         +     +           any  200
getHealth              +       +         +        +         +     +           any  200
getReadiness           +       +         +        +         +     +           any  503
getMetrics             +       +         +        +         +     +           any  200
getOperations          .       x         x        x         x     +           any  200
quoteStay              +.      +x        +        +         +     +x          any  200
listZones              +       +         +        +         +     +           any  200
draftZone              .       x         +        x         +     x           any  201
getZone                +       +         +        +         +     +           any  200
changeZone             .       x         +x       x         +x    x           any  200
listZoneDrafts         .       x         +        +         +     x           any  200
getZoneDraft           .       x         +        +         +     x           any  200
checkZone              .       x         +        +         +     x           any  200
publishZone            .       x         x        +         x+    x           any  200
withdrawZone           .       x         +x       +         +     x           any  200
endZone                .       x         +        +         +     x           any  202
listTariffs            +       +         +        +         +     +           any  200
draftTariff            .       x         +        x         +     x           any  201
draftVersion           .       x         +        x         +     x           any  201
getVersion             +0      +0        +        +         +     +0          any  200
changeVersion          .       x         +x       x         +x    x           any  200
submitVersion          .       x         +x       x         +x    x           any  200
approveVersion         .       x         x        +         x+    x           any  200
scheduleVersion        .       x         x        +         +     x           any  200
publishVersion         .       x         x        +         +     x           any  200
withdrawVersion        .       x         +x       +         +     x           any  200
lintTariff             .       x         +        +         +     x           any  200
lintVersion            .       x         +        +         +     x           any  200
compareVersions        +0      +0        +        +         +     +0          any  200
listSuspensions        +       +         +        +         +     +           any  200
suspendVersion         .       x         +        +         +     x           any  200
confirmSuspension      .       x         x        +         x+    x           any  200
resumeVersion          .       x         +        +         +     x           any  202
listDecisions          .       x         +        +         +     x           any  200
confirmDecision        .       x         x        +         x+    x           any  200
withdrawDecision       .       x         +x       +         +     x           any  200
askForImport           .       x         +        +         +     x           any  202
listPriceControls      +       +         +        +         +     +           any  200
draftPriceControl      .       x         +        x         +     x           any  201
getPriceControl        +0      +0        +        +         +     +0          any  200
approvePriceControl    .       x         x        +         x+    x           any  200
endPriceControl        .       x         +        +         +     x           any  202
listYears              +       +         +        +         +     +           any  200
publishYear            .       x         +        +         +     x           any  202
listMechanisms         +       +         +        +         +     +           any  200
draftMechanism         .       x         +        x         +     x           any  201
getMechanism           +0      +0        +        +         +     +0          any  200
changeMechanism        .       x         +x       x         +x    x           any  200
approveMechanism       .       x         x        +         x+    x           any  409
freezeMechanism        .       x         x        +         +     x           any  409
resumeMechanism        .       x         x        +         +     x           any  409
retireMechanism        .       x         +x       +         +     x           any  200
listReviews            .       x         +        +         +     +0          any  200
runReview              .       x         +        +         +     +0          any  201,409
getReview              .       x         +        +         +     +           any  200
draftReviewedVersion   .       x         +        x         +     x           any  201
getNotice              +0      +0        +        +         +     +0          any  200
makeToken              .       +         +        +         +     +           key  201
listPeople             .       x         x        x         x     +           any  200
getMyself              .       +         +        +         +     +           any  200
listKeys               .       +x        +x       +x        +x    +           any  200
issueKey               .       +x        +x       +x        +x    +x          key  201
rotateKey              .       +x        +x       +x        +x    +x          key  201
revokeKey              .       +x        +x       +x        +x    +           any  200
withdrawRole           .       x         x        x         x     +           any  409
listEnrolments         .       x         x        +         +     +           any  200
startEnrolment         .       x         x        x         x     x+          key  201
confirmEnrolment       .       x         x        +         +     x+          key  200
completeEnrolment      +x      +x        +x       +x        +x    +x          any  200
withdrawEnrolment      .       x         x        x         x     +           any  200
listOperators          .       +         x        x         x     +           any  200
issueGatewayPassword   .       +x        x        x         x     +           key  201
revokeGatewayPassword  .       +x        x        x         x     +           any  200
getOperator            .       +x        x        x         x     +           any  200
listFeeds              .       +x        x        x         x     +           any  200
getFeed                .       +0        x        x         x     +           any  200
postReport             .       .         .        .         .     .           any  -
listDeadLetters        .       +         x        x         x     +           any  200
getDeadLetter          .       +0        x        x         x     +           any  200
"""
SIGNS = {401: ".", 403: "x", 404: "0"}
BOTH: tuple[Whose, ...] = ("own", "foreign")
UNKNOWN = shown("ok_000000000000_" + "0" * 43)
GATEWAY = {"Authorization": f"Basic {b64encode(':'.join(LOGIN).encode()).decode()}"}
# Who is refused so may read the thing.
OF_THE_BUREAU = ("not-the-drafter", "same-person")


@pytest.fixture
async def city(database_url: str, built: Builder) -> AsyncIterator[City]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    people = {
        "operator": (("operator",), "op-a"),
        "drafter": (("bureau_drafter",), None),
        "approver": (("bureau_approver",), None),
        "both": (("bureau_drafter", "bureau_approver"), None),
        "operations": (("operations",), None),
        "author": (("bureau_drafter",), None),
        "li": (("bureau_approver",), None),
        "second-operations": (("operations",), None),
    }
    headers: dict[str, dict[str, str]] = {"nobody": {}}
    for name, (roles, operator_id) in people.items():
        headers[name] = await keyed(database_url, name, *roles, operator_id=operator_id, at=at)
    headers["second"] = headers["li"]
    await built.connection.execute("INSERT INTO gateway VALUES ('gw-a2', 'op-a', false, 'hash')")
    await set_password(built.connection, LOGIN[1])
    await built.lot("street", lot_type="on_street")
    await built.lot("theirs", operator_id="op-b", gateway_id="gw-s")
    for gateway in ("gw-a", "gw-s"):
        await refuse(built, gateway=gateway)
    letters = await built.connection.fetch("SELECT gateway_id, dead_letter_id FROM dead_letter")
    ids = dict(letters)
    async with serving(database_url, clock := Clock(), reads_again=False) as api:
        bureau = Bureau(api, clock, headers["author"], headers["second"])
        close_streams(api)
        made = City(bureau, built, headers, {"own": ids["gw-a"], "foreign": ids["gw-s"]})
        await approved(bureau)
        await seen(built, bureau)
        yield made


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    cells: dict[str, str]
    takes_key: bool
    statuses: set[int]


@cache
def table() -> dict[str, Row]:
    """The table by operation."""
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    columns = head[1:-2]
    return {
        name: Row(
            dict(zip(columns, cells[:-2], strict=True)),
            cells[-2] == "key",
            {int(status) for status in cells[-1].split(",") if status != "-"},
        )
        for name, *cells in rows
    }


class Operation(NamedTuple):
    """An operation of the document; whether it looks at what its caller shows, and needs it."""

    name: str
    method: str
    path: str
    takes_login: bool
    needs_login: bool


@pytest.fixture
def every(city: City) -> list[Operation]:
    """The operations of the OpenAPI document."""
    return [
        Operation(
            operation["operationId"],
            method,
            path,
            "security" in operation,
            {} not in operation.get("security", [{}]),
        )
        for method, path, operation in operations(app_of(city.bureau.api).openapi())
    ]


async def ask(
    city: City, operation: Operation, who: str, whose: Whose, sent: dict[str, str]
) -> httpx.Response:
    """Ask as somebody, who sends some headers."""
    asked = await prepared(city, operation.name, who, whose)
    given: dict[str, Any] = {"headers": sent, "params": asked.query}
    if asked.content is not None:
        given["content"] = asked.content
    elif asked.body is not None:
        given["json"] = asked.body
    path = operation.path.format(**asked.path)
    return await city.bureau.api.request(operation.method, path, **given)


async def prepared(city: City, name: str, who: str, whose: Whose) -> Asked:
    """Make the thing that is asked about; for those who are to be refused, one for all calls."""
    if "+" in table()[name].cells[who]:
        return await DEEDS[name](city, who, whose)
    kept = name, whose, who if whose == "own" else ""
    if kept not in city.kept:
        city.kept[kept] = await DEEDS[name](city, who, whose)
    return city.kept[kept]


async def answers(
    city: City, operation: Operation, who: str, sent: dict[str, str]
) -> list[httpx.Response]:
    """What somebody is told about what is their own, and what is another's."""
    return [await ask(city, operation, who, whose, sent) for whose in BOTH]


async def token(city: City, who: str) -> dict[str, str]:
    """What somebody sends who shows a token."""
    made = await city.bureau.api.post("/v1/tokens", headers=city.headers[who])
    return shown(made.json()["token"])


def signs(told: list[httpx.Response]) -> str:
    """A cell of the table, by answers."""
    found = [SIGNS.get(answer.status_code, "+") for answer in told]
    return found[0] if len(set(found)) == 1 else "".join(found)


async def test_every_operation_has_a_row(every: list[Operation]) -> None:
    names = {operation.name for operation in every}
    assert names == table().keys() == DEEDS.keys()
    assert len(names) > 80
    closed = {name for name, row in table().items() if row.cells["nobody"] == "."}
    assert closed == {operation.name for operation in every if operation.needs_login}


async def test_who_may(city: City, every: list[Operation]) -> None:
    wrong = []
    tokens = {who: await token(city, who) for who in ROLES}
    for operation in every:
        row, statuses = table()[operation.name], set()
        for who in ("nobody", *ROLES):
            told = await answers(city, operation, who, city.headers[who])
            statuses |= {each.status_code for each in told if each.status_code not in SIGNS}
            if signs(told) != row.cells[who]:
                wrong.append((operation.name, who, signs(told)))
        if statuses != row.statuses:
            wrong.append((operation.name, "let in with", str(statuses)))
        for who, shows in tokens.items():
            told = await answers(city, operation, who, shows)
            if signs(told) != ("." if row.takes_key else row.cells[who]):
                wrong.append((operation.name, f"{who} by a token", signs(told)))
    assert wrong == []


async def test_what_is_shown_and_not_good_is_worse_than_nothing(
    city: City, every: list[Operation]
) -> None:
    """A key that is unknown, revoked or a gateway's password is no login, nor left out."""
    issued = await city.bureau.api.post(
        "/v1/people/operations/keys", json={}, headers=city.headers["operations"]
    )
    key = issued.json()
    path = f"/v1/people/operations/keys/{key['key_id']}"
    revoked = await city.bureau.api.delete(path, headers=city.headers["operations"])
    assert revoked.status_code == 200
    rows, wrong = table(), []
    for operation in every:
        as_nobody = rows[operation.name].cells["nobody"]
        # Of a quote it is looked at for a document alone.
        is_looked_at = operation.takes_login and operation.name != "quoteStay"
        refused = "." if is_looked_at else as_nobody
        for sent, expected in (
            (UNKNOWN, refused),
            (shown(key["key"]), refused),
            (GATEWAY, as_nobody),
        ):
            told = signs(await answers(city, operation, "nobody", sent))
            if operation.name != "postReport" and told != expected:
                wrong.append((operation.name, sent, told))
    assert wrong == []


async def test_a_refusal_does_not_tell_whether_it_is_there(
    city: City, every: list[Operation]
) -> None:
    """Whoever is refused is told the same about what is another's and what is not there at all.

    But for lots, which anybody may read, and for drafts, which the whole bureau may.
    """
    compared = 0
    for operation in every:
        for who in ("nobody", *ROLES):
            sent = city.headers[who]
            theirs = await ask(city, operation, who, "foreign", sent)
            if theirs.status_code not in SIGNS or operation.name == "changeLot":
                continue
            if theirs.json()["type"].endswith(OF_THE_BUREAU):
                continue
            absent = await ask(city, operation, who, "absent", sent)
            assert (absent.status_code, absent.json()) == (theirs.status_code, theirs.json()), (
                operation.name,
                who,
            )
            compared += 1
    assert compared > 250


async def test_an_operator_reads_nothing_of_another(city: City, every: list[Operation]) -> None:
    """In lists too, and with filters that name the other."""
    looked = 0
    for operation in every:
        if operation.method == "get" and table()[operation.name].cells["nobody"] == ".":
            for answer in await answers(city, operation, "operator", city.headers["operator"]):
                looked += answer.is_success
                assert not re.search(r"op-b|gw-s|theirs", answer.text), operation.name
    assert looked > 8


async def test_a_gateway_reports_under_its_own_name(city: City, every: list[Operation]) -> None:
    """No broker is there: 503 says that the report would have been handed on."""
    (posting,) = [operation for operation in every if operation.name == "postReport"]
    own, theirs = await answers(city, posting, "nobody", GATEWAY)
    absent = await ask(city, posting, "nobody", "absent", GATEWAY)
    assert (own.status_code, theirs.status_code) == (503, 403)
    assert (absent.status_code, absent.json()) == (403, theirs.json())
