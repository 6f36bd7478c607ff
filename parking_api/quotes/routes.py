"""The route of quotes."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Response

import pricing
from parking_api.answers import respond
from parking_api.errors import LotUnknownError, described
from parking_api.quotes import answers
from parking_api.quotes.errors import (
    ExitBeforeEntryError,
    LotWithoutTariffError,
    StayTooLongError,
    TariffInvalidError,
    UnknownEntitlementError,
    UnknownVehicleError,
    VersionNotInForceError,
)
from parking_api.quotes.schemas import FullQuote, QuoteAsk
from parking_api.resources import Held
from parking_api.strict_route import StrictRoute

router = APIRouter(tags=["quotes"], route_class=StrictRoute)

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
EXAMPLES = {
    "lot": {
        "summary": "两小时十分钟，一类区域道路泊位旺季",
        "value": {
            "lot_id": "370202-0001",
            "entry": "2026-06-10T10:00:00+08:00",
            "exit": "2026-06-10T12:10:00+08:00",
            "vehicle": "small",
        },
    },
    "west-coast": {
        "summary": "西海岸新区：当日首次停放的新能源车",
        "value": {
            "lot_id": "370211-0001",
            "entry": "2026-06-10T09:00:00+08:00",
            "exit": "2026-06-10T11:40:00+08:00",
            "vehicle": "small",
            "granted": ["first_stay", "nev"],
        },
    },
}


@router.post(
    "/v1/quotes",
    response_model=FullQuote,
    responses=described(
        LotUnknownError,
        LotWithoutTariffError,
        VersionNotInForceError,
        BAD,
        ExitBeforeEntryError,
        StayTooLongError,
        UnknownVehicleError,
        UnknownEntitlementError,
        TariffInvalidError,
    ),
)
async def quote(ask: Annotated[QuoteAsk, Body(openapi_examples=EXAMPLES)], held: Held) -> Response:
    """Price a stay at a lot, or by a draft document.

    The version in force at entry prices it; its number and hash are in the answer. The same
    request against the same version gives the same bytes at any time: pin it with `version`. Only
    a `provisional` one may change: once the holidays of a year to come are published.
    """
    prices = held.prices
    if ask.lot_id is None:
        assert ask.document is not None  # noqa: S101 - one of the two is given
        tariff = answers.read_document(ask.document)
        number, digest = None, pricing.content_hash(ask.document)
        successors: list[pricing.Version] = []
    else:
        version = prices.version_for(ask.lot_id, ask.entry, ask.version)
        tariff, number, digest = version.tariff, version.version, version.content_hash
        successors = prices.successors(ask.lot_id, ask.entry, ask.exit)
    body = answers.quote(
        ask,
        tariff,
        version=number,
        content_hash=digest,
        calendar=prices.calendar,
        successors=successors,
    )
    return respond(body | {"provisional": prices.is_provisional(tariff, ask.entry, ask.exit)})
