"""Routes of feeds and of refused messages: for operations, and for operators about their own."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from parking_api.feeds import queries, service
from parking_api.feeds.errors import DeadLetterUnknownError, GatewayUnknownError
from parking_api.feeds.models import (
    GREATEST_ID,
    DeadLetter,
    DeadLettersAsk,
    Feed,
    FeedAsk,
    FeedsAsk,
    LotFeed,
    LotFeeds,
)
from parking_api.models import Page
from parking_api.operators.sight import Seen
from parking_api.paging import cut, next_path
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import guarded
from parking_api.resources import Deps

router = APIRouter(tags=["operators"])

GatewayId = Annotated[str, Path(pattern=ID_PATTERN, examples=["gw-try"])]
DeadLetterId = Annotated[int, Path(ge=1, le=GREATEST_ID, examples=[1])]


@router.get("/v1/feeds", responses=guarded())
async def feeds(ask: Annotated[FeedsAsk, Query()], seen: Seen, deps: Deps) -> Page[Feed]:
    """Tell how well the gateways' feeds are, page by page, ordered by `gateway_id`.

    Filters add up. For operations; an operator sees its own gateways.
    """
    operator_id = seen.of(ask.operator)
    async with deps.database.connection() as db:
        found = await service.feeds(db, ask, operator_id, deps.clock())
    shown, cursor = cut(found, ask.limit, lambda each: each.gateway_id)
    items = [Feed.model_validate(each) for each in shown]
    return Page(items=items, next=next_path("/v1/feeds", ask, cursor))


@router.get("/v1/feeds/{gateway_id}", responses=guarded(GatewayUnknownError))
async def feed(
    gateway_id: GatewayId, ask: Annotated[FeedAsk, Query()], seen: Seen, deps: Deps
) -> LotFeeds:
    """Tell when each lot of a gateway reported last, page by page, ordered by `lot_id`."""
    async with deps.database.connection() as db:
        gateway = await service.feed(db, gateway_id, seen.operator_id, deps.clock())
        found = await queries.lots(
            db, gateway_id, after=ask.cursor or "", most=ask.limit + 1, data_state=ask.data_state
        )
    shown, cursor = cut(found, ask.limit, lambda each: each.lot_id)
    return LotFeeds(
        gateway=Feed.model_validate(gateway),
        items=[LotFeed.model_validate(each) for each in shown],
        next=next_path(f"/v1/feeds/{gateway_id}", ask, cursor),
    )


@router.get("/v1/dead-letters", responses=guarded())
async def dead_letters(
    ask: Annotated[DeadLettersAsk, Query()], seen: Seen, deps: Deps
) -> Page[DeadLetter]:
    """List refused messages, page by page, the newest first; long ones are cut.

    Filters add up. For operations; an operator sees those of its own gateways, whatever lot they
    name. A message that comes again is kept once, at the place of the first time.
    """
    async with deps.database.connection() as db:
        found = await service.dead_letters(db, ask, seen.operator_id)
    shown, cursor = cut(found, ask.limit, lambda each: each.dead_letter_id)
    items = [DeadLetter.model_validate(each) for each in shown]
    return Page(items=items, next=next_path("/v1/dead-letters", ask, cursor))


@router.get("/v1/dead-letters/{dead_letter_id}", responses=guarded(DeadLetterUnknownError))
async def dead_letter(
    dead_letter_id: DeadLetterId, _: Nothing, seen: Seen, deps: Deps
) -> DeadLetter:
    """Give one refused message, whole."""
    async with deps.database.connection() as db:
        found = await service.dead_letter(db, dead_letter_id, seen.operator_id)
    return DeadLetter.model_validate(found)
