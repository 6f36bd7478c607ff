"""Errors of decisions; a class's docstring is the `detail` of its answer."""

from http import HTTPStatus

from parking_api.errors import ApiError


class DecisionUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="decision-unknown"):
    """There is no such decision."""


class DecisionStateError(ApiError, status=HTTPStatus.CONFLICT, kind="decision-state"):
    """That decision is confirmed, withdrawn or lapsed already."""
