"""What can go wrong with a quote; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class QuoteRefusedError(ApiError):
    """A stay cannot be priced as it is asked for."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, detail: str = "", parameter: str | None = None) -> None:
        super().__init__(detail)
        if parameter:
            self.faults = (ParameterFault(parameter=parameter, message=self.detail),)


class LotWithoutTariffError(QuoteRefusedError):
    """No tariff is in force for that lot at entry."""

    status = HTTPStatus.NOT_FOUND
    kind = "lot-without-tariff"


class VersionNotInForceError(QuoteRefusedError):
    """That version is not in force for that lot at entry."""

    status = HTTPStatus.CONFLICT
    kind = "version-not-in-force"


class ExitBeforeEntryError(QuoteRefusedError):
    """The stay ends before it begins."""

    kind = "exit-before-entry"


class StayTooLongError(QuoteRefusedError):
    """A stay lasts at most 366 days."""

    kind = "stay-too-long"


class TooMuchWorkError(QuoteRefusedError):
    """The tariff takes too many steps for a stay of this length."""

    kind = "too-much-work"


class UnknownVehicleError(QuoteRefusedError):
    """The tariff does not know that class of vehicle."""

    kind = "unknown-vehicle"


class UnknownEntitlementError(QuoteRefusedError):
    """The tariff does not know what is granted."""

    kind = "unknown-entitlement"


class LeavesUnpricedError(ApiError):
    """Lots would lose their price; say `leaves_unpriced` if that is meant."""

    status = HTTPStatus.CONFLICT
    kind = "leaves-unpriced"

    def __init__(self, number: int, named: Sequence[str]) -> None:
        lots = "1 lot" if number == 1 else f"{number} lots"
        more = f" The first {len(named)} are named." if number > len(named) else ""
        super().__init__(
            f"{lots} would lose their price: `errors` names them. "
            f'Say "leaves_unpriced": true if that is meant.{more}'
        )
        self.faults = [
            ParameterFault(parameter="leaves_unpriced", message=message) for message in named
        ]


class TariffInvalidError(ApiError):
    """The tariff is incomplete, contradictory or ambiguous: `errors` has every fault."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "tariff-invalid"

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__()
        self.faults = faults
