"""What can go wrong with price mechanisms; the classes' sentences are the answers' `detail`."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.models import Row


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

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__()
        self.faults = faults


class MechanismsOverlapError(ApiError):
    """Another price mechanism moves the price of the same zone and lot type."""

    status = HTTPStatus.CONFLICT
    kind = "mechanisms-overlap"

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self.faults = tuple(
            ParameterFault(
                parameter="mechanism.lot_types",
                message=f"{row['lot_type']} is moved by {row['mechanism_id']}",
            )
            for row in rows
        )


class ReviewUnknownError(ApiError):
    """There is no such review of that price mechanism."""

    status = HTTPStatus.NOT_FOUND
    kind = "review-unknown"


class ReviewStateError(ApiError):
    """No tariff version can be drafted from that review."""

    status = HTTPStatus.CONFLICT
    kind = "review-state"
