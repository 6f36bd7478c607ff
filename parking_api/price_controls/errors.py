"""What can go wrong with price controls; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class PriceControlError(ApiError, status=HTTPStatus.CONFLICT, kind="price-control"):
    """The tariff goes beyond the price control; `errors` has each clause that it breaks."""

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__()
        self.faults = faults


class ControlExistsError(ApiError, status=HTTPStatus.CONFLICT, kind="price-control-exists"):
    """There is a price control of that id already."""


class ControlUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="price-control-unknown"):
    """There is no such price control."""


class ControlStateError(ApiError, status=HTTPStatus.CONFLICT, kind="price-control-state"):
    """That price control is in force, or has ended, already."""
