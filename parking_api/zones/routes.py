"""Routes of zones."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from parking_api.errors import DatabaseAwayError, described
from parking_api.geometry import MAX_CORNERS
from parking_api.models import GeoJson, Page, Why
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import Approver, Bureau, Drafter, guarded
from parking_api.quotes.errors import LeavesUnpricedError
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.workflow import SamePersonError
from parking_api.zones import queries, service
from parking_api.zones.errors import (
    ZoneDraftUnknownError,
    ZoneExistsError,
    ZonesOverlapError,
    ZoneStateError,
    ZoneTimesError,
    ZoneUnknownError,
)
from parking_api.zones.models import (
    DraftFacts,
    EndedZone,
    NewZone,
    PublishedZones,
    ZoneBody,
    ZoneCheck,
    ZoneCheckAsk,
    ZoneCollection,
    ZoneDraft,
    ZoneEnd,
    ZoneFacts,
    ZoneFeature,
    ZoneOverlap,
    ZonePublication,
    ZonesAsk,
    drawing,
)
from parking_api.zones.queries import DrawnDraft, DrawnZone


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


@router.get("/v1/zones", response_class=GeoJson, responses=described(BAD, AWAY))
async def zones(ask: Annotated[ZonesAsk, Query()], deps: Deps) -> ZoneCollection:
    """Give the tariff zones in force at a time, as GeoJSON. They never overlap."""
    at = ask.at or deps.clock()
    async with deps.database.connection() as db:
        found = await queries.zones_at(db, at)
    return ZoneCollection(features=[_zone(each) for each in found], as_of=at)


def _zone(zone: DrawnZone) -> ZoneFeature:
    return ZoneFeature(
        id=zone.zone_id, geometry=zone.geometry, properties=ZoneFacts.model_validate(zone)
    )


@router.get(
    "/v1/zones/{zone_id}",
    response_class=GeoJson,
    responses=described(ZoneUnknownError, BAD, AWAY),
)
async def zone(zone_id: ZoneId, ask: Annotated[ZonesAsk, Query()], deps: Deps) -> ZoneFeature:
    """Give one tariff zone in force at a time, as a GeoJSON feature."""
    async with deps.database.connection() as db:
        return _zone(await service.zone_at(db, zone_id, ask.at or deps.clock()))


@router.get("/v1/zone-drafts", responses=guarded(DatabaseAwayError))
async def drafts(_: Nothing, deps: Deps, caller: Bureau) -> Page[DraftFacts]:
    """List the drafts of zones that wait to be published."""
    del caller
    async with deps.database.connection() as db:
        found = await queries.drafts(db)
    return Page(items=[DraftFacts.model_validate(each) for each in found])


@router.post(
    "/v1/zones",
    status_code=HTTPStatus.CREATED,
    response_class=GeoJson,
    responses=guarded(ZoneExistsError, DatabaseAwayError),
)
async def new(body: NewZone, deps: Deps, caller: Drafter) -> ZoneDraft:
    """Draft a zone. Every fault of the request is told at once."""
    async with deps.act(caller.person_id, body.reason) as act:
        drafted = await service.add_draft(act, body)
    return _draft(drafted)


def _draft(draft: DrawnDraft) -> ZoneDraft:
    return ZoneDraft(
        id=draft.zone_id, geometry=draft.geometry, properties=DraftFacts.model_validate(draft)
    )


@router.put(
    "/v1/zones/{zone_id}",
    response_class=GeoJson,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, DatabaseAwayError),
)
async def change(zone_id: ZoneId, body: ZoneBody, deps: Deps, caller: Drafter) -> ZoneDraft:
    """Draw one's own draft anew."""
    async with deps.act(caller.person_id, body.reason) as act:
        changed = await service.change_draft(act, zone_id, body)
    return _draft(changed)


@router.get(
    "/v1/zones/{zone_id}/draft",
    response_class=GeoJson,
    responses=guarded(ZoneDraftUnknownError, DatabaseAwayError),
)
async def draft(zone_id: ZoneId, _: Nothing, deps: Deps, caller: Bureau) -> ZoneDraft:
    """Give the draft of a zone, whatever became of it."""
    del caller
    async with deps.database.transaction() as db:
        return _draft(await service.draft(db, zone_id))


@router.post(
    "/v1/zones/{zone_id}/check",
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, ZoneExistsError, DatabaseAwayError),
)
async def check(
    zone_id: ZoneId, deps: Deps, caller: Bureau, body: ZoneCheckAsk | None = None
) -> ZoneCheck:
    """Tell what would come of publishing a draft: overlaps, its lots, lots that lose their price.

    `also` names the drafts that would be published with it; a body is not needed.
    """
    del caller
    zone_ids = [zone_id, *(body.also if body else ())]
    async with deps.database.transaction() as db:
        overlaps, lots, unpriced = await service.check(db, zone_ids, deps.clock())
    found = [ZoneOverlap.model_validate(each) for each in overlaps]
    return ZoneCheck(overlaps=found, lots=lots, unpriced=unpriced)


@router.post(
    "/v1/zones/{zone_id}/publish",
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
async def publish(
    zone_id: ZoneId, body: ZonePublication, deps: Deps, prices: CurrentPrices, caller: Approver
) -> PublishedZones:
    """Put a draft in force from its `valid_from` on, with others that must begin at once with it.

    The zones that they replace end when they begin. Whoever drafted one may not publish it. Should
    two zones overlap then, the answer names both, and nothing is changed. Likewise where lots lose
    their price by it, unless `leaves_unpriced` is said: a tariff can be given to a zone once it is
    published, and should be before it begins.
    """
    async with deps.act(caller.person_id, body.reason) as act:
        published, unpriced = await service.publish(
            act, [zone_id, *body.also], leaves_unpriced=body.leaves_unpriced
        )
    await prices.reload()
    items = [DraftFacts.model_validate(each) for each in published]
    return PublishedZones(items=items, unpriced=unpriced)


@router.post(
    "/v1/zones/{zone_id}/withdraw",
    response_class=GeoJson,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, DatabaseAwayError),
)
async def withdraw(zone_id: ZoneId, body: Why, deps: Deps, caller: Bureau) -> ZoneDraft:
    """Give a draft up."""
    async with deps.act(caller.person_id, body.reason) as act:
        withdrawn = await service.withdraw_draft(act, zone_id)
    return _draft(withdrawn)


@router.post(
    "/v1/zones/{zone_id}/end",
    responses=guarded(ZoneUnknownError, ZoneTimesError, LeavesUnpricedError, DatabaseAwayError),
)
async def end(
    zone_id: ZoneId, body: ZoneEnd, deps: Deps, prices: CurrentPrices, caller: Approver
) -> EndedZone:
    """Let a published zone end, now or later.

    Where lots lose their price by it, it is refused unless `leaves_unpriced` is said.
    """
    async with deps.act(caller.person_id, body.reason) as act:
        ended, unpriced = await service.end(
            act, zone_id, body.valid_to, leaves_unpriced=body.leaves_unpriced
        )
    await prices.reload()
    return EndedZone(**ZoneFacts.model_validate(ended).model_dump(), unpriced=unpriced)
