"""What can go wrong with people and keys; the classes' sentences are the answers' `detail`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from parking_api.errors import ApiError


class NotAuthenticatedError(ApiError):
    """This needs `Authorization: Bearer` and an API key or a token of yours."""

    status = HTTPStatus.UNAUTHORIZED
    challenge: ClassVar[str] = 'Bearer realm="onelot"'

    @property
    def headers(self) -> Mapping[str, str]:
        """What is asked for, as RFC 6750 has it."""
        return {"WWW-Authenticate": self.challenge}


class CredentialRefusedError(NotAuthenticatedError):
    """The key or token is unknown, revoked or expired."""

    challenge = 'Bearer realm="onelot", error="invalid_token"'


class KeyNeededError(NotAuthenticatedError):
    """A token is made with an API key, not with another token."""


class RoleMissingError(ApiError):
    """Your roles do not allow this."""

    status = HTTPStatus.FORBIDDEN


class PersonUnknownError(ApiError):
    """There is no such person."""

    status = HTTPStatus.NOT_FOUND


class KeyUnknownError(ApiError):
    """That person has no such key."""

    status = HTTPStatus.NOT_FOUND


class PersonExistsError(ApiError):
    """There is a person of that id already."""

    status = HTTPStatus.CONFLICT


class KeyEndedError(ApiError):
    """That key is revoked, expired or replaced already."""

    status = HTTPStatus.CONFLICT


class OperatorUnknownError(ApiError):
    """There is no such operator."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class ExpiryPastError(ApiError):
    """A key expires in the future."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
