"""What can go wrong with zones; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.models import Row


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

    def __init__(self, overlaps: Sequence[Row]) -> None:
        pairs = [described_overlap(row) for row in overlaps]
        super().__init__(f"{self.__doc__} {' '.join(pairs)}")
        self.faults = tuple(
            ParameterFault(parameter=f"{row['zone_id']},{row['other_id']}", message=pair)
            for row, pair in zip(overlaps, pairs, strict=True)
        )


def described_overlap(row: Row) -> str:
    """Put a row of `zone_overlaps.sql` into words."""
    since = row["since"].isoformat()
    return (
        f"{row['zone_id']} and {row['other_id']} share {row['area_m2']:,.0f} square metres "
        f"from {since} on."
    )
