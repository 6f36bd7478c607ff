"""Errors of enrolments; a class's docstring is the `detail` of its answer."""

from http import HTTPStatus

from parking_api.errors import ApiError


class EnrolmentUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="enrolment-unknown"):
    """There is no such enrolment."""


class EnrolmentStateError(ApiError, status=HTTPStatus.CONFLICT, kind="enrolment-state"):
    """That is not possible in the state that the enrolment is in."""


class NothingToGrantError(ApiError, status=HTTPStatus.CONFLICT, kind="nothing-to-grant"):
    """That person has all these roles already."""


class CodeRefusedError(ApiError, status=HTTPStatus.FORBIDDEN, kind="code-refused"):
    """There is no such enrolment, or its code is another, used up or too old."""


class OwnKeyNeededError(ApiError, status=HTTPStatus.FORBIDDEN, kind="own-key-needed"):
    """Who gets further roles shows the code and a key of their own, not a token."""
