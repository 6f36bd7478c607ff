"""What can go wrong with price mechanisms; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.mechanisms.queries import Owner


class MechanismUnknownError(ApiError):
    """There is no such price mechanism that is for you to see."""

    status = HTTPStatus.NOT_FOUND
    kind = "mechanism-unknown"


class MechanismExistsError(ApiError):
    """There is a price mechanism of that id already."""

    status = HTTPStatus.CONFLICT
    kind = "mechanism-exists"


class MechanismStateError(ApiError):
    """That is not possible in the state that the price mechanism is in."""

    status = HTTPStatus.CONFLICT
    kind = "mechanism-state"


class MechanismUnfitError(ApiError):
    """The price mechanism does not fit what is in force; `errors` has each reason."""

    status = HTTPStatus.CONFLICT
    kind = "mechanism-unfit"

    def __init__(self, *faults: tuple[str, str]) -> None:
        """Each fault is a field of the mechanism and what is wrong with it."""
        super().__init__()
        self.faults = [
            ParameterFault(parameter=f"mechanism.{field}", message=message)
            for field, message in faults
        ]


class MechanismsOverlapError(ApiError):
    """Another price mechanism moves the price of the same zone and lot type."""

    status = HTTPStatus.CONFLICT
    kind = "mechanisms-overlap"

    def __init__(self, owners: Sequence[Owner]) -> None:
        super().__init__()
        self.faults = [
            ParameterFault(
                parameter="mechanism.lot_types",
                message=f"{each.lot_type} is moved by {each.mechanism_id}",
            )
            for each in owners
        ]


class ReviewUnknownError(ApiError):
    """There is no such review of that price mechanism."""

    status = HTTPStatus.NOT_FOUND
    kind = "review-unknown"


class ReviewStateError(ApiError):
    """No tariff version can be drafted from that review."""

    status = HTTPStatus.CONFLICT
    kind = "review-state"
