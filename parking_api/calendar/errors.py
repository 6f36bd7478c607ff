"""What can go wrong with the calendar; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class CalendarFixedError(ApiError, status=HTTPStatus.CONFLICT, kind="calendar-fixed"):
    """That year's calendar is published already, and stays; a tariff may carry its own."""


class CalendarDaysError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY, kind="calendar-days"):
    """The days do not make a year's calendar."""

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__()
        self.faults = faults
