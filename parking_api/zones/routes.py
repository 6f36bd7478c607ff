"""Routes of zones."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from parking_api.coordinates import Crs, placed
from parking_api.decisions import service as decisions
from parking_api.decisions.models import AskedDecision
from parking_api.decisions.service import DECISIONS
from parking_api.errors import DatabaseAwayError, public
from parking_api.geometry import MAX_CORNERS
from parking_api.models import GeoJson, Page, Why
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import for_bureau, guarded, taking
from parking_api.people.errors import NotStandingError
from parking_api.people.queries import Person
from parking_api.quotes.errors import LeavesUnpricedError
from parking_api.quotes.following import CurrentPrices
from parking_api.resources import Deps
from parking_api.strict_route import StrictRoute
from parking_api.worker import each
from parking_api.workflow import NotTheDrafterError, SamePersonError
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
    DrawnDraft,
    DrawnZone,
    EndOf,
    NewZone,
    PublishedZones,
    ZoneBody,
    ZoneCheck,
    ZoneCheckAsk,
    ZoneCollection,
    ZoneDraft,
    ZoneEnd,
    ZoneFeature,
    ZoneOverlap,
    ZonePublication,
    ZonesAsk,
    drawing,
)
from parking_api.zones.service import DRAFTS, END


class ZoneRoute(StrictRoute):
    """A route whose body holds polygons."""

    max_bytes = 2 * 2**20
    max_items = MAX_CORNERS + 1

    @staticmethod
    def prepare(value: object) -> object:
        """Read the geometry."""
        if isinstance(value, dict) and "geometry" in value:
            value["geometry"] = drawing(value["geometry"])
        return value


router = APIRouter(tags=["zones"], route_class=ZoneRoute)

ZoneId = Annotated[str, Path(pattern=ID_PATTERN, examples=["qd-370202-1"])]


@router.get("/v1/zones", response_class=GeoJson, responses=public())
async def list_zones(ask: Annotated[ZonesAsk, Query()], deps: Deps) -> ZoneCollection:
    """Give the tariff zones in force at a time, as GeoJSON. They never overlap."""
    at = ask.at or deps.clock()
    async with deps.database.connection() as db:
        found = await queries.zones_at(db, at)
    features = await each(partial(_zone, crs=ask.crs), found)
    return ZoneCollection(features=features, as_of=at)


def _zone(zone: DrawnZone, crs: Crs) -> ZoneFeature:
    geometry = placed(zone.geometry, crs)
    return ZoneFeature(id=zone.zone_id, geometry=geometry, properties=zone)


@router.get(
    "/v1/zones/{zone_id}",
    response_class=GeoJson,
    responses=public(ZoneUnknownError),
)
async def get_zone(zone_id: ZoneId, ask: Annotated[ZonesAsk, Query()], deps: Deps) -> ZoneFeature:
    """Give one tariff zone in force at a time, as a GeoJSON feature."""
    async with deps.database.connection() as db:
        found = await service.zone_at(db, zone_id, ask.at or deps.clock())
    return _zone(found, ask.crs)


@router.get(
    "/v1/zone-drafts",
    dependencies=[Depends(for_bureau)],
    responses=guarded(DatabaseAwayError),
)
async def list_zone_drafts(_: Nothing, deps: Deps) -> Page[DraftFacts]:
    """List the drafts of zones that wait to be published."""
    async with deps.database.connection() as db:
        return Page(items=await queries.drafts(db))


@router.post(
    "/v1/zones",
    status_code=HTTPStatus.CREATED,
    response_class=GeoJson,
    responses=guarded(ZoneExistsError, DatabaseAwayError),
)
async def draft_zone(
    body: NewZone, deps: Deps, caller: Annotated[Person, taking(DRAFTS, "draft")]
) -> ZoneDraft:
    """Draft a zone. The answer names every fault of the request at once."""
    async with deps.act(caller, body.reason) as act:
        return _draft(await service.add_draft(act, body))


def _draft(draft: DrawnDraft) -> ZoneDraft:
    return ZoneDraft(id=draft.zone_id, geometry=draft.geometry, properties=draft)


@router.put(
    "/v1/zones/{zone_id}",
    response_class=GeoJson,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, NotTheDrafterError, DatabaseAwayError),
)
async def change_zone(
    zone_id: ZoneId, body: ZoneBody, deps: Deps, caller: Annotated[Person, taking(DRAFTS, "change")]
) -> ZoneDraft:
    """Draw one's own draft anew."""
    async with deps.act(caller, body.reason) as act:
        return _draft(await service.change_draft(act, zone_id, body))


@router.get(
    "/v1/zones/{zone_id}/draft",
    dependencies=[Depends(for_bureau)],
    response_class=GeoJson,
    responses=guarded(ZoneDraftUnknownError, DatabaseAwayError),
)
async def get_zone_draft(zone_id: ZoneId, _: Nothing, deps: Deps) -> ZoneDraft:
    """Give the draft of a zone, whatever became of it."""
    async with deps.database.transaction() as db:
        return _draft(await service.draft(db, zone_id))


@router.post(
    "/v1/zones/{zone_id}/check",
    dependencies=[Depends(for_bureau)],
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, ZoneExistsError, DatabaseAwayError),
)
async def check_zone(zone_id: ZoneId, deps: Deps, body: ZoneCheckAsk | None = None) -> ZoneCheck:
    """Tell what would come of publishing a draft: overlaps, its lots, lots that lose their price.

    `also` names the drafts that would be published with it; a body is not needed.
    """
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
        NotStandingError,
        ZoneStateError,
        ZoneTimesError,
        ZoneExistsError,
        ZonesOverlapError,
        LeavesUnpricedError,
        DatabaseAwayError,
    ),
)
async def publish_zone(
    zone_id: ZoneId,
    body: ZonePublication,
    deps: Deps,
    prices: CurrentPrices,
    caller: Annotated[Person, taking(DRAFTS, "publish")],
) -> PublishedZones:
    """Put a draft in force from its `valid_from` on, with others that must begin at once with it.

    The zones that they replace end when they begin. Whoever drafted one may not publish it. Should
    two zones overlap then, the answer names both, and nothing is changed. Likewise where lots lose
    their price by it, unless `leaves_unpriced` is true: a tariff can be given to a zone once it is
    published, and should be before it begins.
    """
    async with deps.act(caller, body.reason) as act:
        published, unpriced = await service.publish(
            act, [zone_id, *body.also], leaves_unpriced=body.leaves_unpriced
        )
    await prices.reload()
    return PublishedZones(items=list(published), unpriced=unpriced)


@router.post(
    "/v1/zones/{zone_id}/withdraw",
    response_class=GeoJson,
    responses=guarded(ZoneDraftUnknownError, ZoneStateError, NotTheDrafterError, DatabaseAwayError),
)
async def withdraw_zone(
    zone_id: ZoneId, body: Why, deps: Deps, caller: Annotated[Person, taking(DRAFTS, "withdraw")]
) -> ZoneDraft:
    """Give a draft up: one's own, or, as an approver, anybody's."""
    async with deps.act(caller, body.reason) as act:
        return _draft(await service.withdraw_draft(act, zone_id))


@router.post(
    "/v1/zones/{zone_id}/end",
    status_code=HTTPStatus.ACCEPTED,
    responses=guarded(ZoneUnknownError, ZoneTimesError, LeavesUnpricedError, DatabaseAwayError),
)
async def end_zone(
    zone_id: ZoneId,
    body: ZoneEnd,
    deps: Deps,
    caller: Annotated[Person, taking(DECISIONS, "ask")],
) -> AskedDecision:
    """Ask for a published zone to end, when another person has confirmed it, or later.

    `valid_to` must lie ahead then too. Where lots lose their price by it, it is refused unless
    `leaves_unpriced` is true. See `/v1/decisions`.
    """
    given = EndOf(zone_id=zone_id, valid_to=body.valid_to, leaves_unpriced=body.leaves_unpriced)
    async with deps.act(caller, body.reason) as act:
        return await decisions.ask(act, END, f"zone/{zone_id}", given)
