"""What can go wrong with the calendar; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class CalendarFixedError(ApiError):
    """That year's calendar is published already, and stays; a tariff may carry its own."""

    status = HTTPStatus.CONFLICT
    kind = "calendar-fixed"


class CalendarDaysError(ApiError):
    """The days do not make a year's calendar."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "calendar-days"

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__()
        self.faults = faults
