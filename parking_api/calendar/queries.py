"""Calendar queries and commands: the statements of `sql/queries/calendar.sql`."""

from collections.abc import Sequence
from datetime import date, datetime

from parking_api.quotes.models import PublishedYear
from sql.engine import Transaction
from sql.statements import Statements

statement = Statements("calendar")


@statement
async def add_year(
    db: Transaction,
    *,
    year: int,
    holidays: Sequence[date],
    makeup_workdays: Sequence[date],
    by: str,
    at: datetime,
) -> PublishedYear | None:
    """Publish a year; None where it is published already."""
