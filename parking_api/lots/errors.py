"""Errors of lots; a class's docstring is the `detail` of its answer."""

from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault


class ClosureError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY, kind="closure"):
    """A closure begins at a time, and ends after it, or never."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(faults=[ParameterFault(parameter=parameter, message=message)])
