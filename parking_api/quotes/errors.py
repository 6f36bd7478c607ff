"""Errors of quotes; a class's docstring is the `detail` of its answer."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class QuoteRefusedError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """A stay cannot be priced as it is asked for."""

    def __init__(self, detail: str, parameter: str) -> None:
        super().__init__(detail, [ParameterFault(parameter=parameter, message=detail)])


class LotWithoutTariffError(
    QuoteRefusedError, status=HTTPStatus.NOT_FOUND, kind="lot-without-tariff"
):
    """No tariff is in force for that lot at entry."""


class TariffSuspendedError(QuoteRefusedError, status=HTTPStatus.CONFLICT, kind="tariff-suspended"):
    """The tariff of that lot is suspended at entry: there is no price."""


class VersionNotInForceError(
    QuoteRefusedError, status=HTTPStatus.CONFLICT, kind="version-not-in-force"
):
    """That version is not in force for that lot at entry."""


class ExitBeforeEntryError(QuoteRefusedError, kind="exit-before-entry"):
    """The stay ends before it begins."""


class StayTooLongError(QuoteRefusedError, kind="stay-too-long"):
    """A stay lasts at most 366 days."""


class TooMuchWorkError(QuoteRefusedError, kind="too-much-work"):
    """The tariff takes too many steps for a stay of this length."""


class UnknownVehicleError(QuoteRefusedError, kind="unknown-vehicle"):
    """The tariff does not know that class of vehicle."""


class UnknownEntitlementError(QuoteRefusedError, kind="unknown-entitlement"):
    """The tariff does not know what is granted."""


class LeavesUnpricedError(ApiError, status=HTTPStatus.CONFLICT, kind="leaves-unpriced"):
    """Lots would lose their price; say `leaves_unpriced` if that is meant."""

    def __init__(self, number: int, named: Sequence[str]) -> None:
        lots = "1 lot" if number == 1 else f"{number} lots"
        more = f" The first {len(named)} are named." if number > len(named) else ""
        super().__init__(
            f"{lots} would lose their price: `errors` names them. "
            f'Say "leaves_unpriced": true if that is meant.{more}',
            [ParameterFault(parameter="leaves_unpriced", message=message) for message in named],
        )


class TariffInvalidError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY, kind="tariff-invalid"):
    """The tariff is incomplete, contradictory or ambiguous: `errors` has every fault."""
