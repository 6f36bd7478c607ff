"""Feeds and refused messages in the database: the statements of `sql/queries/feeds.sql`."""

from collections.abc import Sequence
from datetime import datetime

from parking_api.models import DataState, Named, Reporting, local
from sql.engine import Db
from sql.statements import Row, Statements

statement = Statements("feeds")


class Gateway(Row):
    """A gateway, and how many of its lots are in which state."""

    gateway_id: str
    operator_id: str
    simulated: bool
    lots: int
    received_at: datetime | None
    live: int
    stale: int
    estimated: int
    unknown: int
    dead_letters_24h: int


class GatewayLot(Named, Row):
    """A lot of a gateway with its last report."""

    lot_id: str
    name_zh: str
    name_en: str
    reporting: Reporting
    report_interval_s: int
    timezone: str
    data_state: DataState
    epoch: int | None
    seq: int | None
    observed_at: datetime | None
    age_s: float | None
    received_at: datetime | None
    silent_s: int | None

    @property
    def locally_observed_at(self) -> datetime | None:
        """`observed_at` on the lot's clock."""
        return local(self.observed_at, self.timezone)

    @property
    def locally_received_at(self) -> datetime | None:
        """`received_at` on the lot's clock."""
        return local(self.received_at, self.timezone)


class Refused(Row):
    """A refused message."""

    dead_letter_id: int
    topic: str
    gateway_id: str
    operator_id: str | None
    lot_id: str
    epoch: int | None
    seq: int | None
    reason: str
    detail: str
    times: int
    received_at: datetime
    last_received_at: datetime
    payload: str
    payload_bytes: int
    fault_at: int | None
    truncated: bool
    replayable: bool
    replayed_at: datetime | None
    replay_result: str | None


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
) -> list[Gateway]:
    """Read gateways by `gateway_id`, from the one after `after` on; or a single one."""


@statement
async def lots(
    db: Db, gateway_id: str, *, after: str, most: int, data_state: str | None
) -> list[GatewayLot]:
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
) -> list[Refused]:
    """Read refused messages, the newest first, cut to `shown` characters."""


@statement
async def gateway_ids(db: Db, operator_id: str) -> list[str]:
    """Read the gateways of an operator."""
