"""What can go wrong with price controls; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class PriceControlError(ApiError):
    """The tariff goes beyond the price control; `errors` has each clause that it breaks."""

    status = HTTPStatus.CONFLICT
    kind = "price-control"

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__()
        self.faults = faults


class ControlExistsError(ApiError):
    """There is a price control of that id already."""

    status = HTTPStatus.CONFLICT
    kind = "price-control-exists"


class ControlUnknownError(ApiError):
    """There is no such price control."""

    status = HTTPStatus.NOT_FOUND
    kind = "price-control-unknown"


class ControlStateError(ApiError):
    """That price control is in force, or has ended, already."""

    status = HTTPStatus.CONFLICT
    kind = "price-control-state"
