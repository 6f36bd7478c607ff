"""What can go wrong with zones; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.zones.queries import Overlap


class ZoneUnknownError(ApiError):
    """There is no such zone in force at that time."""

    status = HTTPStatus.NOT_FOUND
    kind = "zone-unknown"


class ZoneDraftUnknownError(ApiError):
    """There is no such draft of a zone."""

    status = HTTPStatus.NOT_FOUND
    kind = "zone-unknown"


class ZoneExistsError(ApiError):
    """There is a zone of that id already; a zone that is drawn anew gets a new id."""

    status = HTTPStatus.CONFLICT
    kind = "zone-exists"


class ZoneStateError(ApiError):
    """That is not possible in the state that the zone is in."""

    status = HTTPStatus.CONFLICT
    kind = "zone-state"


class ZoneTimesError(ApiError):
    """The times do not fit."""

    status = HTTPStatus.CONFLICT
    kind = "zone-times"


class ZonesOverlapError(ApiError):
    """Two zones would be in force over the same ground at the same time."""

    status = HTTPStatus.CONFLICT
    kind = "zones-overlap"

    def __init__(self, overlaps: Sequence[Overlap]) -> None:
        super().__init__(" ".join([str(self.__doc__), *(each.message for each in overlaps)]))
        self.faults = [
            ParameterFault(parameter=f"{each.zone_id},{each.other_id}", message=each.message)
            for each in overlaps
        ]
