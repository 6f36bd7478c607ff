"""Routes of feeds and of refused messages: for operations, and for operators about their own."""

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from ingest_mqtt.wire import AckMessage, FeedTopic, PushKind, Result
from parking_api.errors import described
from parking_api.feeds import queries, service
from parking_api.feeds.errors import (
    BrokerAwayError,
    DeadLetterUnknownError,
    GatewayUnknownError,
    NoAckError,
    TooManyPostsError,
)
from parking_api.feeds.models import (
    GREATEST_ID,
    DeadLetter,
    DeadLettersAsk,
    Feed,
    FeedAsk,
    FeedsAsk,
    LotFeeds,
)
from parking_api.feeds.pushing import Handover
from parking_api.models import Page
from parking_api.operators.errors import (
    AnotherGatewayError,
    LoginRefusedError,
    TooManyLoginsError,
)
from parking_api.operators.logins import GatewayId, gateway_login
from parking_api.operators.sight import Seen
from parking_api.paging import cut, next_path, page
from parking_api.parameters import LotId, Nothing, Whole
from parking_api.people.access import guarded
from parking_api.resources import Deps
from parking_api.strict_route import (
    MAX_BODY_BYTES,
    BodyTooLargeError,
    EncodedBodyError,
    StrictRoute,
    read_body,
)

router = APIRouter(tags=["operators"], route_class=StrictRoute)

_ACK_SHAPE: Final = {"$ref": "#/components/schemas/AckMessage"}
_NUMBERS: Final = {"epoch": 1764000000, "seq": 41, "at": "2026-11-22T01:30:01.250000+00:00"}
_ACKS: Final[dict[int, dict[str, Any]]] = {
    200: {**_NUMBERS, "result": "applied", "age_s": 1.25},
    422: {
        **_NUMBERS,
        "result": "rejected",
        "reason": "invalid",
        "detail": "a bay stands in two of the lists",
    },
    429: {**_NUMBERS, "result": "deferred", "retry_s": 3},
}
_STATUS: Final[dict[Result, HTTPStatus]] = {
    "applied": HTTPStatus.OK,
    "duplicate": HTTPStatus.OK,
    "superseded": HTTPStatus.OK,
    "rejected": HTTPStatus.UNPROCESSABLE_ENTITY,
    "quarantined": HTTPStatus.UNPROCESSABLE_ENTITY,
    "deferred": HTTPStatus.TOO_MANY_REQUESTS,
}
_READ_ACK: Final = msgspec.json.Decoder(AckMessage)
# What is wrong with a message, its ack says.
_MESSAGE: Final = {
    "requestBody": {
        "required": True,
        "description": "The same message as over MQTT, at most 65,536 bytes: docs/schema/ has the "
        "JSON Schema of each kind.",
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": f"#/components/schemas/{model}"}
                        for model in ("SpacesReport", "SnapshotReport", "CountReport")
                    ]
                },
                "example": {
                    "epoch": 1764000000,
                    "seq": 41,
                    "observed_at": "2026-11-22T09:30:00+08:00",
                    "occupied": [17, 18],
                    "free": [3],
                },
            }
        },
    }
}


def _acked() -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI the acks, and the problems of a post that has none."""
    problems = (LoginRefusedError, AnotherGatewayError, BodyTooLargeError, EncodedBodyError)
    away = (TooManyPostsError, TooManyLoginsError, NoAckError, BrokerAwayError)
    common = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    found = described(*problems, *away, *common)
    for status, results in ((422, "`rejected`, `quarantined`"), (429, "`deferred`")):
        found[status]["description"] = f"The ack: {results}. Or: {found[status]['description']}"
        found[status]["content"] |= _ack(status)
    done = "The ack, after COMMIT: `applied`, `duplicate` or `superseded`."
    return {200: {"description": done, "content": _ack(200)}} | found


def _ack(status: int) -> dict[str, Any]:
    return {"application/json": {"schema": _ACK_SHAPE, "example": _ACKS[status]}}


DeadLetterId = Annotated[Whole, Path(ge=1, le=GREATEST_ID, examples=[1])]


@router.get("/v1/feeds", responses=guarded())
async def list_feeds(ask: Annotated[FeedsAsk, Query()], seen: Seen, deps: Deps) -> Page[Feed]:
    """Tell how well the gateways' feeds are, page by page, ordered by `gateway_id`.

    Filters add up. For operations; an operator sees its own gateways.
    """
    operator_id = seen.of(ask.operator)
    async with seen.connection(deps.database) as db:
        found = await service.feeds(db, ask, operator_id, deps.clock())
    return page("/v1/feeds", ask, ask.limit, found, lambda each: each.gateway_id)


@router.get("/v1/feeds/{gateway_id}", responses=guarded(GatewayUnknownError))
async def get_feed(
    gateway_id: GatewayId, ask: Annotated[FeedAsk, Query()], seen: Seen, deps: Deps
) -> LotFeeds:
    """Tell when each lot of a gateway reported last, page by page, ordered by `lot_id`."""
    async with seen.connection(deps.database) as db:
        gateway = await service.feed(db, gateway_id, seen.operator_id, deps.clock())
        found = await queries.lots(
            db, gateway_id, after=ask.cursor or "", most=ask.limit + 1, data_state=ask.data_state
        )
    shown, cursor = cut(found, ask.limit, lambda each: each.lot_id)
    return LotFeeds(
        gateway=gateway,
        items=list(shown),
        next=next_path(f"/v1/feeds/{gateway_id}", ask, cursor),
    )


@router.post(
    "/v1/feeds/{gateway_id}/{lot_id}/{kind}",
    response_class=Response,
    responses=_acked(),
    openapi_extra=_MESSAGE,
)
async def post_report(
    *,
    gateway_id: Annotated[str, Depends(gateway_login)],
    lot_id: LotId,
    kind: PushKind,
    _: Nothing,
    pushes: Handover,
    deps: Deps,
    request: Request,
) -> Response:
    """Take a gateway's report, as over MQTT, and answer with its ack once it is committed."""
    message = await read_body(request, MAX_BODY_BYTES)
    try:
        written = await pushes.push(FeedTopic(gateway_id, lot_id, kind), message)
    except NoAckError:
        deps.metrics.note_pushed("no_ack")
        raise
    ack = _READ_ACK.decode(written)
    deps.metrics.note_pushed(ack.result)
    headers = {"Retry-After": str(ack.retry_s)} if ack.retry_s else None
    return Response(written, _STATUS[ack.result], headers, "application/json")


@router.get("/v1/dead-letters", responses=guarded())
async def list_dead_letters(
    ask: Annotated[DeadLettersAsk, Query()], seen: Seen, deps: Deps
) -> Page[DeadLetter]:
    """List refused messages, page by page, the newest first; long ones are cut.

    Filters add up. For operations; an operator sees those of its own gateways, whatever lot they
    name. A message that comes again is kept once, at the place of the first time.
    """
    async with seen.connection(deps.database) as db:
        found = await service.dead_letters(db, ask, seen.operator_id)
    return page("/v1/dead-letters", ask, ask.limit, found, lambda each: each.dead_letter_id)


@router.get("/v1/dead-letters/{dead_letter_id}", responses=guarded(DeadLetterUnknownError))
async def get_dead_letter(
    dead_letter_id: DeadLetterId, _: Nothing, seen: Seen, deps: Deps
) -> DeadLetter:
    """Give one refused message, whole."""
    async with seen.connection(deps.database) as db:
        return await service.dead_letter(db, dead_letter_id, seen.operator_id)
