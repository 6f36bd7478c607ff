"""Operator queries and commands: the statements of `sql/queries/operators.sql`."""

from parking_api.operators.models import OperatorAnswer
from sql.engine import Db, Transaction
from sql.statements import Row, Statements

statement = Statements("operators")


class Gateway(Row):
    """Who reports for lots, and the hash of its password."""

    gateway_id: str
    simulated: bool
    password_hash: str | None
    password_by_person: bool
    lots: list[str]


class GatewayState(Row):
    """An operator's gateway, and whether it has a password."""

    gateway_id: str
    has_password: bool


class Login(Row):
    """A gateway that may log in, and the hash of its password."""

    gateway_id: str
    password_hash: str


@statement
async def see(db: Db, operator: str) -> str:
    """Have policies show the gateways and refused messages of an operator, or of all: `*`."""


@statement
async def operators(
    db: Db, *, most: int, after: str = "", operator_id: str | None = None
) -> list[OperatorAnswer]:
    """Read operators by `operator_id`, from the one after `after` on; or a single one."""


@statement
async def credentials(db: Transaction) -> list[Gateway]:
    """Read every gateway by `gateway_id`, with its password and its lots."""


@statement
async def logins(db: Db) -> list[Login]:
    """Read every gateway that has a password."""


@statement
async def gateway(db: Transaction, operator_id: str, gateway_id: str) -> GatewayState | None:
    """Read an operator's gateway, and hold it until the transaction ends."""


@statement
async def set_by_person(db: Transaction, gateway_id: str, password_hash: str | None) -> None:
    """Store the password that a person issued, or revoke it."""


@statement
async def set_password(db: Transaction, gateway_id: str, password_hash: str) -> None:
    """Store a gateway's new password."""
