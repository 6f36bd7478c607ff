"""Which operators' gateways and lots a caller sees: operations all, an operator its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from parking_api.database import Database
from parking_api.operators import queries
from parking_api.people.access import allowed
from parking_api.people.errors import RoleMissingError
from parking_api.people.queries import Person
from sql.engine import EVERYBODY, Db
from sql.kinds import OPERATIONS, OPERATOR


@dataclass(frozen=True)
class Sight:
    """How far a caller sees.

    Attributes:
        operator_id: The only operator whose gateways and lots are seen; None for all.
    """

    operator_id: str | None

    def of(self, operator_id: str | None) -> str | None:
        """Return the operator whose gateways and lots a request is about.

        Args:
            operator_id: The operator that it names, if it names one.

        Returns:
            The operator; None for all.

        Raises:
            RoleMissingError: It names another operator than the caller's own.
        """
        if self.operator_id is not None and operator_id not in (None, self.operator_id):
            raise RoleMissingError("Your roles do not allow this; it is another operator's.")
        return operator_id if self.operator_id is None else self.operator_id

    @asynccontextmanager
    async def connection(self, database: Database) -> AsyncIterator[Db]:
        """Yield a connection that sees no other gateways and refused messages than the caller.

        Policies of the database see to that (sql/schema/grants.sql), whatever a statement asks.

        Raises:
            DatabaseAwayError: As `Database.connection` does.
        """
        async with database.connection() as db:
            # The pool resets it when the connection is given back.
            await queries.see(db, EVERYBODY if self.operator_id is None else self.operator_id)
            yield db


async def _sight(caller: Annotated[Person, allowed(OPERATIONS, OPERATOR)]) -> Sight:
    if OPERATIONS in caller.roles:
        return Sight(None)
    if caller.operator_id is None:
        # The database holds no such operator; should it ever, they must not see everything.
        raise RoleMissingError
    return Sight(caller.operator_id)


Seen = Annotated[Sight, Depends(_sight)]
