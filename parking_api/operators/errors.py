"""What can go wrong with operators; the classes' sentences are the answers' `detail`."""

from http import HTTPStatus

from parking_api.errors import ApiError


class OperatorNotFoundError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such operator."""
