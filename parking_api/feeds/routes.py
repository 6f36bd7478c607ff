"""Routes of feeds and of refused messages: for operations, and for operators about their own."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from parking_api.feeds import answers, service
from parking_api.feeds.errors import DeadLetterUnknownError, GatewayUnknownError
from parking_api.feeds.models import (
    GREATEST_ID,
    DeadLetter,
    DeadLetterPage,
    DeadLettersAsk,
    FeedAsk,
    FeedPage,
    FeedsAsk,
    LotFeedPage,
)
from parking_api.models import respond
from parking_api.operators.sight import Seen
from parking_api.paging import next_path
from parking_api.parameters import ID_PATTERN, Nothing
from parking_api.people.access import guarded
from parking_api.resources import Deps

router = APIRouter(tags=["operators"])

GatewayId = Annotated[str, Path(pattern=ID_PATTERN, examples=["gw-try"])]
DeadLetterId = Annotated[int, Path(ge=1, le=GREATEST_ID, examples=[1])]


@router.get("/v1/feeds", response_model=FeedPage, responses=guarded())
async def feeds(ask: Annotated[FeedsAsk, Query()], seen: Seen, deps: Deps) -> Response:
    """Tell how well the gateways' feeds are, page by page, ordered by `gateway_id`.

    Filters add up. For operations; an operator sees its own gateways.
    """
    operator_id = seen.of(ask.operator)
    async with deps.database.connection() as connection:
        rows, cursor = await service.feeds_page(connection, ask, operator_id, deps.clock())
    items = [answers.feed(row) for row in rows]
    return respond({"items": items, "next": next_path("/v1/feeds", ask, cursor)})


@router.get(
    "/v1/feeds/{gateway_id}", response_model=LotFeedPage, responses=guarded(GatewayUnknownError)
)
async def feed(
    gateway_id: GatewayId, ask: Annotated[FeedAsk, Query()], seen: Seen, deps: Deps
) -> Response:
    """Tell when each lot of a gateway reported last, page by page, ordered by `lot_id`."""
    async with deps.database.connection() as connection:
        gateway = await service.one_feed(connection, gateway_id, seen.operator_id, deps.clock())
        rows, cursor = await service.lots_page(connection, gateway_id, ask)
    return respond(
        {
            "gateway": answers.feed(gateway),
            "items": [answers.lot_feed(row) for row in rows],
            "next": next_path(f"/v1/feeds/{gateway_id}", ask, cursor),
        }
    )


@router.get("/v1/dead-letters", response_model=DeadLetterPage, responses=guarded())
async def dead_letters(ask: Annotated[DeadLettersAsk, Query()], seen: Seen, deps: Deps) -> Response:
    """List refused messages, page by page, the newest first; long ones are cut.

    Filters add up. For operations; an operator sees those of its own gateways, whatever lot they
    name. A message that comes again is kept once, at the place of the first time.
    """
    async with deps.database.connection() as connection:
        rows, cursor = await service.dead_letters_page(connection, ask, seen.operator_id)
    items = [answers.dead_letter(row) for row in rows]
    return respond({"items": items, "next": next_path("/v1/dead-letters", ask, cursor)})


@router.get(
    "/v1/dead-letters/{dead_letter_id}",
    response_model=DeadLetter,
    responses=guarded(DeadLetterUnknownError),
)
async def dead_letter(dead_letter_id: DeadLetterId, _: Nothing, seen: Seen, deps: Deps) -> Response:
    """Give one refused message, whole."""
    async with deps.database.connection() as connection:
        row = await service.one_dead_letter(connection, dead_letter_id, seen.operator_id)
    return respond(answers.dead_letter(row))
