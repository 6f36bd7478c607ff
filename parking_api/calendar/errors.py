"""Errors of the calendar; a class's docstring is the `detail` of its answer."""

from http import HTTPStatus

from parking_api.errors import ApiError


class CalendarFixedError(ApiError, status=HTTPStatus.CONFLICT, kind="calendar-fixed"):
    """That year's calendar is published already, and stays; a tariff may carry its own."""


class CalendarDaysError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY, kind="calendar-days"):
    """The days do not make a year's calendar."""
