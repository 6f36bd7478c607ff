"""Operators and passwords in the database: the statements of `sql/queries/operators.sql`."""

from parking_api.models import Named
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("operators")


class Operator(Named, Row):
    """Who runs lots, and how much of it."""

    operator_id: str
    name_zh: str
    name_en: str
    lots: int
    spaces: int
    gateways: int
    gateways_with_credentials: int


class Gateway(Row):
    """Who reports for lots, and the hash of its password."""

    gateway_id: str
    simulated: bool
    password_hash: str | None
    lots: list[str]


@statement
async def operators(
    db: Db, *, most: int, after: str = "", operator_id: str | None = None
) -> list[Operator]:
    """Read operators by `operator_id`, from the one after `after` on; or a single one."""


@statement
async def credentials(db: Transaction) -> list[Gateway]:
    """Read every gateway by `gateway_id`, with its password and its lots."""


@statement
async def set_password(db: Transaction, gateway_id: str, password_hash: str) -> None:
    """Store a gateway's new password."""
