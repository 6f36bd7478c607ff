"""What is done with operators: found, one by one or page by page."""

from parking_api.operators import queries
from parking_api.operators.errors import OperatorNotFoundError
from parking_api.operators.queries import Operator
from sql.engine import Db


async def operator(db: Db, operator_id: str) -> Operator:
    """Read an operator.

    Raises:
        OperatorNotFoundError: There is none of that id.
    """
    for found in await queries.operators(db, most=1, operator_id=operator_id):
        return found
    raise OperatorNotFoundError
