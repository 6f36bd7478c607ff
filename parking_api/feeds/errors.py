"""What can go wrong with feeds; the classes' sentences are the answers' `detail`."""

from http import HTTPStatus

from parking_api.errors import ApiError


class GatewayUnknownError(ApiError):
    """There is no such gateway, or it is another operator's."""

    status = HTTPStatus.NOT_FOUND


class DeadLetterUnknownError(ApiError):
    """There is no such refused message, or it is another operator's."""

    status = HTTPStatus.NOT_FOUND
