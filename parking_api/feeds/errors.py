"""Errors of feeds; a class's docstring is the `detail` of its answer."""

from collections.abc import Mapping
from http import HTTPStatus

from parking_api.errors import ApiError


class GatewayUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such gateway, or it is another operator's."""


class DeadLetterUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such refused message, or it is another operator's."""


class TooManyPostsError(ApiError, status=HTTPStatus.TOO_MANY_REQUESTS, kind="too-many-waiting"):
    """Sixteen messages of this gateway wait for their acks already."""

    @property
    def headers(self) -> Mapping[str, str]:
        """When to send it again, in seconds."""
        return {"Retry-After": "1"}


class BrokerAwayError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE):
    """The broker cannot be reached at the moment; send the message again."""


class NoAckError(ApiError, status=HTTPStatus.SERVICE_UNAVAILABLE, kind="no-ack"):
    """No ack came in time; send the message again, which does no harm if it was applied."""
