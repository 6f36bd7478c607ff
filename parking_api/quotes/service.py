"""Prices stays for answers, independent of the clock and of the process."""

from zoneinfo import ZoneInfo

import pricing
from parking_api.errors import ParameterFault
from parking_api.models import Json
from parking_api.quotes import errors
from parking_api.quotes.models import FullQuote, QuoteAsk, QuoteLine
from parking_api.quotes.prices import class_of

_REFUSALS: dict[type[pricing.PricingError], tuple[type[errors.QuoteRefusedError], str]] = {
    pricing.ExitBeforeEntryError: (errors.ExitBeforeEntryError, "exit"),
    pricing.StayTooLongError: (errors.StayTooLongError, "exit"),
    pricing.TooMuchWorkError: (errors.TooMuchWorkError, "exit"),
    pricing.UnknownVehicleError: (errors.UnknownVehicleError, "vehicle"),
    pricing.UnknownEntitlementError: (errors.UnknownEntitlementError, "granted"),
}


def quote(
    ask: QuoteAsk,
    tariff: pricing.Tariff,
    *,
    version: int | None,
    content_hash: str,
    calendar: pricing.Calendar,
    successors: list[pricing.Version],
    provisional: bool,
) -> FullQuote:
    """Return the quote of a stay.

    Args:
        ask: The stay.
        tariff: What prices it.
        version: Its number; None for a document.
        content_hash: Its hash.
        calendar: The city's.
        successors: The versions that take over during the stay.
        provisional: Whether the price may still change.

    Raises:
        QuoteRefusedError: The stay cannot be priced; the subclass says why.
    """
    vehicle = class_of(tariff, ask.vehicle)
    stay = pricing.Stay(ask.entry, ask.exit, vehicle, ask.granted)
    try:
        found = pricing.quote(tariff, stay, calendar=calendar, versions=successors)
    except pricing.PricingError as error:
        kind, parameter = _REFUSALS[type(error)]
        raise kind(_sentence(str(error)), parameter) from error
    zone = ZoneInfo(tariff.timezone)
    return FullQuote(
        lot_id=ask.lot_id,
        entry=ask.entry.astimezone(zone),
        exit=ask.exit.astimezone(zone),
        vehicle=vehicle,
        granted=ask.granted,
        total_minor=found.total_minor,
        currency=found.currency,
        tariff_id=tariff.id,
        version=version,
        hash=content_hash,
        lines=[_line(line, zone) for line in found.lines],
        provisional=provisional,
    )


def _line(line: pricing.Line, zone: ZoneInfo) -> QuoteLine:
    times = {"start": line.start.astimezone(zone), "end": line.end.astimezone(zone)}
    return QuoteLine.model_validate(line.as_dict() | times)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def read_document(document: Json, parameter: str = "document") -> pricing.Tariff:
    """Return the tariff of a request's document.

    Args:
        document: As it was sent.
        parameter: What the request calls it.

    Raises:
        TariffInvalidError: With every fault of it, and the path of each.
    """
    try:
        return pricing.read_tariff(document)
    except pricing.TariffFaultsError as error:
        paths = [_path(parameter, fault.path) for fault in error.faults]
        raise errors.TariffInvalidError(
            faults=[
                ParameterFault(parameter=path, message=fault.message)
                for path, fault in zip(paths, error.faults, strict=True)
            ]
        ) from error


def _path(parameter: str, path: str) -> str:
    return f"{parameter}.{path}" if path and not path.startswith("[") else f"{parameter}{path}"
