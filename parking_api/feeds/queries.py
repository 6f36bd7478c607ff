"""Feed queries and commands: the statements of `sql/queries/feeds.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.feeds.models import DeadLetter, Feed, LotFeed
from sql.engine import Db
from sql.statements import Statements

statement = Statements("feeds")


@statement
async def gateways(
    db: Db,
    *,
    most: int,
    since: datetime,
    after: str = "",
    operator_id: str | None = None,
    gateway_id: str | None = None,
    data_state: str | None = None,
) -> list[Feed]:
    """Read gateways by `gateway_id`, from the one after `after` on; or a single one."""


@statement
async def lots(
    db: Db, gateway_id: str, *, after: str, most: int, data_state: str | None
) -> list[LotFeed]:
    """Read a gateway's lots by `lot_id`, from the one after `after` on."""


@statement
async def refused(
    db: Db,
    *,
    most: int,
    shown: int,
    least_id: int,
    greatest_id: int,
    gateway_ids: Sequence[str] | None,
    lot_id: str | None = None,
    reason: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
) -> list[DeadLetter]:
    """Read refused messages, the newest first, cut to `shown` characters."""


@statement
async def gateway_ids(db: Db, operator_id: str) -> list[str]:
    """Read the gateways of an operator."""
