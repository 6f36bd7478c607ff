"""What is read about operators."""

from collections.abc import Sequence

from parking_api.database import Connection
from parking_api.models import Json, Row
from parking_api.operators.errors import OperatorNotFoundError
from parking_api.operators.models import OperatorsAsk
from parking_api.paging import cut
from sql.named import named

_COUNTS = ("lots", "spaces", "gateways", "gateways_with_credentials")


def operator(row: Row) -> Json:
    """Make an operator out of a row of `operators_page.sql`."""
    counts = {column: row[column] for column in _COUNTS}
    return {
        "operator_id": row["operator_id"],
        "name": {"zh": row["name_zh"], "en": row["name_en"]},
        **counts,
    }


async def operators_page(
    connection: Connection, ask: OperatorsAsk, own: str | None
) -> tuple[Sequence[Row], str | None]:
    """Read a page of operators.

    Args:
        connection: To the database.
        ask: Where it starts, and how long it is.
        own: The only operator to give; None for all.

    Returns:
        Their rows, by `operator_id`, and the cursor of the next page where there is one.
    """
    rows: Sequence[Row] = await connection.fetch(
        named("operators_page"), ask.cursor or "", ask.limit + 1, own
    )
    return cut(rows, ask.limit, "operator_id")


async def one_operator(connection: Connection, operator_id: str) -> Row:
    """Read an operator.

    Raises:
        OperatorNotFoundError: There is none of that id.
    """
    row: Row | None = await connection.fetchrow(named("operators_page"), "", 1, operator_id)
    if row is None:
        raise OperatorNotFoundError
    return row
