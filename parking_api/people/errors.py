"""Errors of people and keys; a class's docstring is the `detail` of its answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from parking_api.errors import ApiError


class NotAuthenticatedError(ApiError, status=HTTPStatus.UNAUTHORIZED):
    """This needs `Authorization: Bearer` and an API key or a token of yours."""

    challenge: ClassVar[str] = 'Bearer realm="onelot"'

    @property
    def headers(self) -> Mapping[str, str]:
        """What is asked for, as RFC 6750 has it."""
        return {"WWW-Authenticate": self.challenge}


class CredentialRefusedError(NotAuthenticatedError):
    """The key or token is unknown, revoked or expired."""

    challenge = 'Bearer realm="onelot", error="invalid_token"'


class KeyNeededError(NotAuthenticatedError):
    """This takes an API key itself, not a token that was made with one."""


class RoleMissingError(ApiError, status=HTTPStatus.FORBIDDEN):
    """Your roles do not allow this."""


class PersonUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """There is no such person."""


class KeyUnknownError(ApiError, status=HTTPStatus.NOT_FOUND):
    """That person has no such key."""


class PersonExistsError(ApiError, status=HTTPStatus.CONFLICT):
    """There is a person of that id already."""


class RoleNotHeldError(ApiError, status=HTTPStatus.CONFLICT):
    """That person does not have that role."""


class KeyEndedError(ApiError, status=HTTPStatus.CONFLICT):
    """That key is revoked, expired or replaced already."""


class OperatorUnknownError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """There is no such operator."""


class KeyExpiryError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY):
    """A key expires in the future, and not after the lifetime that the platform gives keys."""


class NotStandingError(ApiError, status=HTTPStatus.CONFLICT, kind="not-standing"):
    """Whoever has asked for it, or agreed to it, has lost that role or all keys: begin anew."""
