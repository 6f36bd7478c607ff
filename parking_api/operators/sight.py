"""Whose gateways and lots a caller sees: operations everybody's, an operator its own."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends

from parking_api.people.access import allowed
from parking_api.people.errors import RoleMissingError
from parking_api.people.queries import Person

OPERATIONS: Final = "operations"


@dataclass(frozen=True)
class Sight:
    """How far a caller sees.

    Attributes:
        operator_id: Whose gateways and lots; None for everybody's.
    """

    operator_id: str | None

    def of(self, asked: str | None) -> str | None:
        """Settle whose gateways and lots a request is about.

        Args:
            asked: The operator that it names, if it names one.

        Returns:
            The operator; None for everybody's.

        Raises:
            RoleMissingError: It names another operator than the caller's own.
        """
        if self.operator_id is not None and asked not in (None, self.operator_id):
            raise RoleMissingError("Your roles do not allow this; it is another operator's.")
        return asked if self.operator_id is None else self.operator_id


async def _sight(caller: Annotated[Person, allowed("operations", "operator")]) -> Sight:
    if OPERATIONS in caller.roles:
        return Sight(None)
    if caller.operator_id is None:
        # The database holds no such operator; should it ever, they must not see everything.
        raise RoleMissingError
    return Sight(caller.operator_id)


Seen = Annotated[Sight, Depends(_sight)]
