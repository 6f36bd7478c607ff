"""Errors of tariffs; a class's docstring is the `detail` of its answer."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.quotes.queries import StoredEffect
from parking_api.tariffs.queries import UnknownTarget


class TariffUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="tariff-unknown"):
    """There is no such tariff, or no such version of it that is for you to see."""


class TariffExistsError(ApiError, status=HTTPStatus.CONFLICT, kind="tariff-exists"):
    """There is a tariff of that id already: draft a new version of it."""


class TargetUnknownError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY, kind="target-unknown"):
    """The tariff would apply to zones or lots that are not there."""

    def __init__(self, targets: Sequence[UnknownTarget]) -> None:
        super().__init__(
            faults=[
                ParameterFault(
                    parameter=f"applies_to.{each.kind}s",
                    message=f"there is no {each.kind} {each.id}",
                )
                for each in targets
            ]
        )


class VersionStateError(ApiError, status=HTTPStatus.CONFLICT, kind="version-state"):
    """That is not possible in the state that the version is in."""


class VersionSuspensionError(ApiError, status=HTTPStatus.CONFLICT, kind="suspension-state"):
    """That version is not suspended, or that is settled already."""


class SuspendedBeforeError(ApiError, status=HTTPStatus.CONFLICT, kind="suspended-before"):
    """A suspension of yours of that version lapsed without a second person; somebody else may."""


class EffectiveTimesError(ApiError, status=HTTPStatus.UNPROCESSABLE_ENTITY, kind="effective-times"):
    """A version comes into force in the future, and ends after it begins."""


class EffectsOverlapError(ApiError, status=HTTPStatus.CONFLICT, kind="effects-overlap"):
    """Another version would price the same zone and lot type, or lot, at the same time."""

    def __init__(self, effects: Sequence[StoredEffect] = ()) -> None:
        super().__init__(
            faults=[
                ParameterFault(parameter="applies_to", message=each.message) for each in effects
            ]
        )
