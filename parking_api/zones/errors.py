"""Errors of zones; a class's docstring is the `detail` of its answer."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.zones.queries import Overlap


class ZoneUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="zone-unknown"):
    """There is no such zone in force at that time."""


class ZoneDraftUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="zone-unknown"):
    """There is no such draft of a zone."""


class ZoneExistsError(ApiError, status=HTTPStatus.CONFLICT, kind="zone-exists"):
    """There is a zone of that id already; a zone that is drawn anew gets a new id."""


class ZoneStateError(ApiError, status=HTTPStatus.CONFLICT, kind="zone-state"):
    """That is not possible in the state that the zone is in."""


class ZoneTimesError(ApiError, status=HTTPStatus.CONFLICT, kind="zone-times"):
    """The times do not fit."""


class ZonesOverlapError(ApiError, status=HTTPStatus.CONFLICT, kind="zones-overlap"):
    """Two zones would be in force over the same ground at the same time."""

    def __init__(self, overlaps: Sequence[Overlap]) -> None:
        super().__init__(
            " ".join([str(self.__doc__), *(each.message for each in overlaps)]),
            [
                ParameterFault(parameter=f"{each.zone_id},{each.other_id}", message=each.message)
                for each in overlaps
            ],
        )
