"""The route of quotes."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request

import pricing
from parking_api.errors import LotRetiredError, LotUnknownError, described
from parking_api.models import Json
from parking_api.people.access import for_bureau
from parking_api.people.errors import CredentialRefusedError, RoleMissingError
from parking_api.quotes import service
from parking_api.quotes.effects import Version
from parking_api.quotes.errors import (
    ExitBeforeEntryError,
    LotWithoutTariffError,
    StayTooLongError,
    TariffInvalidError,
    TariffSuspendedError,
    TooMuchWorkError,
    UnknownEntitlementError,
    UnknownVehicleError,
    VersionNotInForceError,
)
from parking_api.quotes.following import CurrentPrices
from parking_api.quotes.models import FullQuote, QuoteAsk
from parking_api.quotes.prices import Prices
from parking_api.strict_route import StrictRoute
from parking_api.worker import BusyError, off_loop
from pricing import steps_a_day

router = APIRouter(tags=["quotes"], route_class=StrictRoute)

BAD = HTTPStatus.UNPROCESSABLE_ENTITY
# What the loop prices itself, which takes it some milliseconds: most stays of a month.
INLINE_STEPS: Final = 1000
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
    response_model_exclude_unset=True,
    openapi_extra={"security": [{"keyOrToken": []}]},
    responses=described(
        LotUnknownError,
        LotRetiredError,
        LotWithoutTariffError,
        TariffSuspendedError,
        VersionNotInForceError,
        BAD,
        ExitBeforeEntryError,
        StayTooLongError,
        UnknownVehicleError,
        UnknownEntitlementError,
        TariffInvalidError,
        TooMuchWorkError,
        CredentialRefusedError,
        RoleMissingError,
        BusyError,
    ),
)
async def quote_stay(
    ask: Annotated[QuoteAsk, Body(openapi_examples=EXAMPLES)],
    prices: CurrentPrices,
    request: Request,
) -> FullQuote:
    """Price a stay at a lot, or by a draft document, which is for the bureau.

    The version in force at entry prices it; its number and hash are in the answer. The same
    request against the same version gives the same bytes at any time: pin it with `version`. Only
    a `provisional` one may change: once the holidays of a year to come are published. A lot that is
    retired has prices for stays that began before it was. Where the version is suspended at entry
    there is no price, and the problem has the reason.
    """
    if ask.document is not None:
        # A document is work of the asker's own making.
        await for_bureau.admit(request)
        return await off_loop(_by_document, ask, ask.document, prices)
    assert ask.lot_id is not None  # noqa: S101 - one of the two is given
    version = prices.version_for(ask.lot_id, ask.entry, ask.version)
    steps = steps_a_day(version.tariff) * ((ask.exit - ask.entry).days + 1)
    if steps > INLINE_STEPS:
        return await off_loop(_by_version, ask, ask.lot_id, version, prices)
    return _by_version(ask, ask.lot_id, version, prices)


def _by_document(ask: QuoteAsk, document: Json, prices: Prices) -> FullQuote:
    tariff = service.read_document(document)
    return service.quote(
        ask,
        tariff,
        version=None,
        content_hash=pricing.content_hash(document),
        calendar=prices.calendar,
        successors=[],
        provisional=prices.is_provisional(tariff, ask.entry, ask.exit),
    )


def _by_version(ask: QuoteAsk, lot_id: str, version: Version, prices: Prices) -> FullQuote:
    return service.quote(
        ask,
        version.tariff,
        version=version.version,
        content_hash=version.content_hash,
        calendar=prices.calendar,
        successors=prices.successors(lot_id, ask.entry, ask.exit),
        provisional=prices.is_provisional(version.tariff, ask.entry, ask.exit),
    )
