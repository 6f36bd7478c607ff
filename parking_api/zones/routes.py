"""Routes of zones."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from parking_api.audit import Action
from parking_api.errors import DatabaseAwayError, described
from parking_api.importing.geometry import MAX_CORNERS
from parking_api.models import GEO_JSON, Why, respond
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import Approver, Bureau, Drafter, guarded
from parking_api.quotes import coverage
from parking_api.quotes.errors import LeavesUnpricedError
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.workflow import SamePersonError
from parking_api.zones import answers, publishing, queries
from parking_api.zones.errors import (
    ZoneDraftUnknownError,
    ZoneExistsError,
    ZonesOverlapError,
    ZoneStateError,
    ZoneTimesError,
    ZoneUnknownError,
)
from parking_api.zones.models import (
    EndedZone,
    NewZone,
    PublishedZones,
    ZoneBody,
    ZoneCheck,
    ZoneCheckAsk,
    ZoneDraft,
    ZoneDrafts,
    ZoneEnd,
    ZonePublication,
    ZonesAsk,
    drawing,
    settled,
)


class ZoneRoute(StrictRoute):
    """A route whose body holds polygons."""

    max_bytes = 2 * 2**20
    max_items = MAX_CORNERS + 1

    @staticmethod
    def prepare(value: Any) -> Any:
        """Read the geometry."""
        if isinstance(value, dict) and "geometry" in value:
            value["geometry"] = drawing(value["geometry"])
        return value


router = APIRouter(tags=["zones"], route_class=ZoneRoute)

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
AWAY = HTTPStatus.SERVICE_UNAVAILABLE
ZoneId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-370202-1"])]

GEOJSON_ZONES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {GEO_JSON: {"schema": {"$ref": "#/components/schemas/ZoneCollection"}}},
        "description": "A FeatureCollection.",
    }
}
GEOJSON_ZONE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {GEO_JSON: {"schema": {"$ref": "#/components/schemas/ZoneFeature"}}},
        "description": "A Feature.",
    }
}


@router.get(
    "/v1/zones",
    response_class=Response,
    responses={**GEOJSON_ZONES, **described(BAD, AWAY)},
)
async def zones(ask: Annotated[ZonesAsk, Query()], deps: Deps) -> Response:
    """Give the tariff zones in force at a time, as GeoJSON. They never overlap."""
    at = settled(ask.at, deps.clock())
    async with deps.database.connection() as connection:
        rows = await queries.zones_at(connection, at)
    return respond(answers.collection(list(rows), at), GEO_JSON)


@router.get(
    "/v1/zones/{zone_id}",
    response_class=Response,
    responses={**GEOJSON_ZONE, **described(ZoneUnknownError, BAD, AWAY)},
)
async def zone(zone_id: ZoneId, ask: Annotated[ZonesAsk, Query()], deps: Deps) -> Response:
    """Give one tariff zone in force at a time, as a GeoJSON feature."""
    at = settled(ask.at, deps.clock())
    async with deps.database.connection() as connection:
        row = await queries.zone_at(connection, zone_id, at)
    return respond(answers.feature(row), GEO_JSON)


@router.get("/v1/zone-drafts", response_model=ZoneDrafts, responses=guarded(DatabaseAwayError))
async def drafts(_: Nothing, deps: Deps, caller: Bureau) -> Response:
    """List the drafts of zones that wait to be published."""
    del caller
    async with deps.database.connection() as connection:
        rows = await queries.drafts(connection)
    return respond({"items": [answers.draft_facts(row) for row in rows], "next": None})


@router.post(
    "/v1/zones",
    status_code=HTTPStatus.CREATED,
    response_model=ZoneDraft,
    responses=guarded(ZoneExistsError, DatabaseAwayError),
)
async def new(body: NewZone, deps: Deps, caller: Drafter) -> Response:
    """Draft a zone. Every fault of the request is told at once."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await queries.add_draft(connection, body, act)
    answer = respond(answers.draft_feature(row), GEO_JSON)
    answer.status_code = HTTPStatus.CREATED
    return answer


@router.put(
    "/v1/zones/{zone_id}",
    response_model=ZoneDraft,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, DatabaseAwayError),
)
async def change(zone_id: ZoneId, body: ZoneBody, deps: Deps, caller: Drafter) -> Response:
    """Draw one's own draft anew."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await queries.change_draft(connection, zone_id, body, act)
    return respond(answers.draft_feature(row), GEO_JSON)


@router.get(
    "/v1/zones/{zone_id}/draft",
    response_model=ZoneDraft,
    responses=guarded(ZoneDraftUnknownError, DatabaseAwayError),
)
async def draft(zone_id: ZoneId, _: Nothing, deps: Deps, caller: Bureau) -> Response:
    """Give the draft of a zone, whatever became of it."""
    del caller
    async with deps.database.transaction() as connection:
        row = await queries.draft(connection, zone_id)
    return respond(answers.draft_feature(row), GEO_JSON)


@router.post(
    "/v1/zones/{zone_id}/check",
    response_model=ZoneCheck,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, ZoneExistsError, DatabaseAwayError),
)
async def check(
    zone_id: ZoneId, deps: Deps, caller: Bureau, body: ZoneCheckAsk | None = None
) -> Response:
    """Tell what would come of publishing a draft: overlaps, its lots, lots that lose their price.

    `also` names the drafts that would be published with it; a body is not needed.
    """
    del caller
    zone_ids = [zone_id, *(body.also if body else ())]
    async with deps.database.transaction() as connection:
        return respond(await publishing.check(connection, zone_ids, deps.clock()))


@router.post(
    "/v1/zones/{zone_id}/publish",
    response_model=PublishedZones,
    responses=guarded(
        ZoneDraftUnknownError,
        SamePersonError,
        ZoneStateError,
        ZoneTimesError,
        ZoneExistsError,
        ZonesOverlapError,
        LeavesUnpricedError,
        DatabaseAwayError,
    ),
)
async def publish(zone_id: ZoneId, body: ZonePublication, deps: Deps, caller: Approver) -> Response:
    """Put a draft in force from its `valid_from` on, with others that must begin at once with it.

    The zones that they replace end when they begin. Whoever drafted one may not publish it. Should
    two zones overlap then, the answer names both, and nothing is changed. Likewise where lots lose
    their price by it, unless `leaves_unpriced` is said: a tariff can be given to a zone once it is
    published, and should be before it begins.
    """
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        rows, unpriced = await publishing.publish(
            connection, [zone_id, *body.also], act, leaves_unpriced=body.leaves_unpriced
        )
    await deps.prices.reload()
    items = [answers.draft_facts(row) for row in rows]
    return respond({"items": items, "next": None, "unpriced": coverage.answer(unpriced)})


@router.post(
    "/v1/zones/{zone_id}/withdraw",
    response_model=ZoneDraft,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, DatabaseAwayError),
)
async def withdraw(zone_id: ZoneId, body: Why, deps: Deps, caller: Bureau) -> Response:
    """Give a draft up."""
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row = await queries.withdraw_draft(connection, zone_id, act)
    return respond(answers.draft_feature(row), GEO_JSON)


@router.post(
    "/v1/zones/{zone_id}/end",
    response_model=EndedZone,
    responses=guarded(ZoneUnknownError, ZoneTimesError, LeavesUnpricedError, DatabaseAwayError),
)
async def end(zone_id: ZoneId, body: ZoneEnd, deps: Deps, caller: Approver) -> Response:
    """Let a published zone end, now or later.

    Where lots lose their price by it, it is refused unless `leaves_unpriced` is said.
    """
    act = Action(caller.person_id, deps.clock(), body.reason)
    async with deps.database.transaction() as connection:
        row, unpriced = await publishing.end(
            connection, zone_id, body.valid_to, act, leaves_unpriced=body.leaves_unpriced
        )
    await deps.prices.reload()
    return respond(answers.facts(row) | {"unpriced": coverage.answer(unpriced)})
