"""What is read about feeds and refused messages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from parking_api.database import Connection
from parking_api.feeds.errors import DeadLetterUnknownError, GatewayUnknownError
from parking_api.feeds.models import GREATEST_ID, SHOWN, DeadLettersAsk, FeedAsk, FeedsAsk
from parking_api.models import Row
from parking_api.paging import cut
from sql.named import named

RECENT: Final = timedelta(hours=24)
# Longer than any message: the broker cuts off at 256 KiB.
_WHOLE: Final = 2**30

# Some rows, and the cursor of the next page where there is one.
Page = tuple[Sequence[Row], Any]


async def feeds_page(
    connection: Connection, ask: FeedsAsk, operator_id: str | None, now: datetime
) -> Page:
    """Read a page of gateways, by `gateway_id`, with their feeds' health.

    Args:
        connection: To the database.
        ask: Filters, where it starts and how long it is.
        operator_id: Whose gateways; None for all.
        now: When the last 24 hours end.
    """
    rows = await connection.fetch(
        named("feed_gateways"),
        *(ask.cursor or "", ask.limit + 1),
        *(operator_id, ask.gateway, ask.data_state, now - RECENT),
    )
    return cut(rows, ask.limit, "gateway_id")


async def one_feed(
    connection: Connection, gateway_id: str, operator_id: str | None, now: datetime
) -> Row:
    """Read one gateway with its feeds' health.

    Raises:
        GatewayUnknownError: There is none of that id, or it is not the operator's.
    """
    row: Row | None = await connection.fetchrow(
        named("feed_gateways"), "", 1, operator_id, gateway_id, None, now - RECENT
    )
    if row is None:
        raise GatewayUnknownError
    return row


async def lots_page(connection: Connection, gateway_id: str, ask: FeedAsk) -> Page:
    """Read a page of a gateway's lots, by `lot_id`, with what they reported last."""
    rows = await connection.fetch(
        named("feed_lots"), ask.cursor or "", ask.limit + 1, gateway_id, ask.data_state
    )
    return cut(rows, ask.limit, "lot_id")


async def dead_letters_page(
    connection: Connection, ask: DeadLettersAsk, operator_id: str | None
) -> Page:
    """Read a page of refused messages, the newest first, long ones cut.

    Args:
        connection: To the database.
        ask: Filters, where it starts and how long it is.
        operator_id: Whose gateways'; None for all, also those of gateways that nobody knows.
    """
    gateways = await _gateways(connection, operator_id)
    if ask.gateway is not None:
        gateways = [ask.gateway] if gateways is None or ask.gateway in gateways else []
    rows = await connection.fetch(
        named("dead_letters"),
        *(1, (ask.cursor or GREATEST_ID + 1) - 1, ask.limit + 1),
        *(gateways, ask.lot, ask.reason, ask.from_, ask.to, SHOWN),
    )
    return cut(rows, ask.limit, "dead_letter_id")


async def one_dead_letter(
    connection: Connection, dead_letter_id: int, operator_id: str | None
) -> Row:
    """Read one refused message, whole.

    Raises:
        DeadLetterUnknownError: There is none of that id, or it is not of the operator's gateways.
    """
    gateways = await _gateways(connection, operator_id)
    row: Row | None = await connection.fetchrow(
        named("dead_letters"),
        *(dead_letter_id, dead_letter_id, 1),
        *(gateways, None, None, None, None, _WHOLE),
    )
    if row is None:
        raise DeadLetterUnknownError
    return row


async def _gateways(connection: Connection, operator_id: str | None) -> list[str] | None:
    """Name an operator's gateways; None for all there are and were.

    Apart, so that the planner knows them by name: a few messages among many are found by index.
    """
    if operator_id is None:
        return None
    rows = await connection.fetch(named("operator_gateways"), operator_id)
    return [row["gateway_id"] for row in rows]
