"""Errors of operators and gateways; a class's docstring is the `detail` of its answer."""

from collections.abc import Mapping
from http import HTTPStatus

from parking_api.errors import ApiError


class OperatorNotFoundError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such operator."""


class GatewayNotFoundError(ApiError, status=HTTPStatus.NOT_FOUND):
    """The operator has no such gateway."""


class LoginMissingError(ApiError, status=HTTPStatus.UNAUTHORIZED):
    """This needs `Authorization: Basic` with a gateway's name and password."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What is asked for, as RFC 7617 has it."""
        return {"WWW-Authenticate": 'Basic realm="onelot"'}


class LoginRefusedError(LoginMissingError):
    """There is no such gateway, or its password is another."""


class AnotherGatewayError(ApiError, status=HTTPStatus.FORBIDDEN):
    """A gateway reports under its own name only."""


class TooManyLoginsError(
    ApiError, status=HTTPStatus.TOO_MANY_REQUESTS, kind="too-many-wrong-passwords"
):
    """Too many wrong passwords came for that gateway from this address; try again later."""

    def __init__(self, retry_s: int) -> None:
        super().__init__()
        self._retry_s = retry_s

    @property
    def headers(self) -> Mapping[str, str]:
        """When the next one is looked at, in seconds."""
        return {"Retry-After": str(self._retry_s)}
