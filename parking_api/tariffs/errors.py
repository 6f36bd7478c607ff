"""What can go wrong with tariffs; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.models import Row


class TariffUnknownError(ApiError):
    """There is no such tariff, or no such version of it that is for you to see."""

    status = HTTPStatus.NOT_FOUND
    kind = "tariff-unknown"


class TariffExistsError(ApiError):
    """There is a tariff of that id already: draft a new version of it."""

    status = HTTPStatus.CONFLICT
    kind = "tariff-exists"


class TargetUnknownError(ApiError):
    """The tariff would apply to zones or lots that are not there."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "target-unknown"

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self.faults = tuple(
            ParameterFault(
                parameter=f"applies_to.{row['kind']}",
                message=f"there is no {row['kind'].removesuffix('s')} {row['id']}",
            )
            for row in rows
        )


class VersionStateError(ApiError):
    """That is not possible in the state that the version is in."""

    status = HTTPStatus.CONFLICT
    kind = "version-state"


class EffectiveTimesError(ApiError):
    """A version comes into force in the future, and ends after it begins."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "effective-times"


class EffectsOverlapError(ApiError):
    """Another version would price the same zone and lot type, or lot, at the same time."""

    status = HTTPStatus.CONFLICT
    kind = "effects-overlap"

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        super().__init__()
        self.faults = tuple(
            ParameterFault(parameter="applies_to", message=_in_the_way(row)) for row in rows
        )


def _in_the_way(row: Row) -> str:
    """Put a row of `tariff_effects_others.sql` into words."""
    target = row["lot_id"] or f"{row['zone_id']} x {row['lot_type']}"
    since = row["effective_from"].isoformat()
    until = f" to {row['effective_to'].isoformat()}" if row["effective_to"] else " on"
    return f"version {row['version']} of {row['tariff_id']} prices {target} from {since}{until}"
