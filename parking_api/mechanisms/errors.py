"""Errors of price mechanisms; a class's docstring is the `detail` of its answer."""

from collections.abc import Sequence
from http import HTTPStatus

from parking_api.errors import ApiError, ParameterFault
from parking_api.mechanisms.queries import Owner


class MechanismUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="mechanism-unknown"):
    """There is no such price mechanism that is for you to see."""


class MechanismExistsError(ApiError, status=HTTPStatus.CONFLICT, kind="mechanism-exists"):
    """There is a price mechanism of that id already."""


class MechanismStateError(ApiError, status=HTTPStatus.CONFLICT, kind="mechanism-state"):
    """That is not possible in the state that the price mechanism is in."""


class MechanismUnfitError(ApiError, status=HTTPStatus.CONFLICT, kind="mechanism-unfit"):
    """The price mechanism does not fit what is in force; `errors` has each reason."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        """Each fault is a field of the mechanism and what is wrong with it."""
        super().__init__(
            faults=[
                ParameterFault(parameter=f"mechanism.{field}", message=message)
                for field, message in faults
            ]
        )


class MechanismsOverlapError(ApiError, status=HTTPStatus.CONFLICT, kind="mechanisms-overlap"):
    """Another price mechanism moves the price of the same zone and lot type."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        super().__init__(
            faults=[
                ParameterFault(
                    parameter="mechanism.lot_types",
                    message=f"{each.lot_type} is moved by {each.mechanism_id}",
                )
                for each in owners
            ]
        )


class ReviewUnknownError(ApiError, status=HTTPStatus.NOT_FOUND, kind="review-unknown"):
    """There is no such review of that price mechanism."""


class ReviewStateError(ApiError, status=HTTPStatus.CONFLICT, kind="review-state"):
    """No tariff version can be drafted from that review."""
