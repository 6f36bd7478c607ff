"""What can go wrong with feeds; the classes' sentences are the answers' `detail`."""

from http import HTTPStatus

from parking_api.errors import ApiError


class GatewayUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such gateway, or it is another operator's."""


class DeadLetterUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such refused message, or it is another operator's."""
