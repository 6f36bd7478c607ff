"""Errors of price controls; a class's docstring is the `detail` of its answer."""

from http import HTTPStatus

from parking_api.errors import ApiError


class PriceControlError(ApiError, status=HTTPStatus.CONFLICT, kind="price-control"):
    """The tariff goes beyond the price control; `errors` has each clause that it breaks."""


class ControlExistsError(ApiError, status=HTTPStatus.CONFLICT, kind="price-control-exists"):
    """There is a price control of that id already."""


class ControlUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="price-control-unknown"):
    """There is no such price control."""


class ControlStateError(ApiError, status=HTTPStatus.CONFLICT, kind="price-control-state"):
    """That price control is in force, or has ended, already."""
