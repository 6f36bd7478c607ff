"""Reads feeds and refused messages, as far as a caller may see them."""

from datetime import datetime, timedelta
from typing import Final

from parking_api.feeds import queries
from parking_api.feeds.errors import DeadLetterUnknownError, GatewayUnknownError
from parking_api.feeds.models import (
    GREATEST_ID,
    SHOWN,
    DeadLetter,
    DeadLettersAsk,
    Feed,
    FeedsAsk,
)
from sql.engine import Db

RECENT: Final = timedelta(hours=24)
# Longer than any message: the broker cuts off at 256 KiB.
_WHOLE: Final = 2**30


async def feeds(db: Db, ask: FeedsAsk, operator_id: str | None, now: datetime) -> list[Feed]:
    """Read a page of gateways, and one more where there is, with their feeds' health.

    Args:
        db: A connection.
        ask: Filters, where it starts and how long it is.
        operator_id: The operator whose gateways are read; None for all.
        now: When the last 24 hours end.
    """
    return await queries.gateways(
        db,
        most=ask.limit + 1,
        since=now - RECENT,
        after=ask.cursor or "",
        operator_id=operator_id,
        gateway_id=ask.gateway,
        data_state=ask.data_state,
    )


async def feed(db: Db, gateway_id: str, operator_id: str | None, now: datetime) -> Feed:
    """Read one gateway with its feeds' health.

    Raises:
        GatewayUnknownError: There is none of that id, or it is not the operator's.
    """
    for found in await queries.gateways(
        db, most=1, since=now - RECENT, operator_id=operator_id, gateway_id=gateway_id
    ):
        return found
    raise GatewayUnknownError


async def dead_letters(db: Db, ask: DeadLettersAsk, operator_id: str | None) -> list[DeadLetter]:
    """Read a page of refused messages, and one more where there is; long ones are cut.

    Args:
        db: A connection.
        ask: Filters, where it starts and how long it is.
        operator_id: The operator whose gateways sent them; None for all, also unknown gateways.
    """
    gateways = await _gateways(db, operator_id)
    if ask.gateway is not None:
        gateways = [ask.gateway] if gateways is None or ask.gateway in gateways else []
    return await queries.refused(
        db,
        most=ask.limit + 1,
        shown=SHOWN,
        least_id=1,
        greatest_id=(ask.cursor or GREATEST_ID + 1) - 1,
        gateway_ids=gateways,
        lot_id=ask.lot,
        reason=ask.reason,
        since=ask.from_,
        before=ask.to,
    )


async def dead_letter(db: Db, dead_letter_id: int, operator_id: str | None) -> DeadLetter:
    """Read one refused message at full length.

    Raises:
        DeadLetterUnknownError: There is none of that id, or it is not of the operator's gateways.
    """
    for found in await queries.refused(
        db,
        most=1,
        shown=_WHOLE,
        least_id=dead_letter_id,
        greatest_id=dead_letter_id,
        gateway_ids=await _gateways(db, operator_id),
    ):
        return found
    raise DeadLetterUnknownError


async def _gateways(db: Db, operator_id: str | None) -> list[str] | None:
    """Name an operator's gateways; None for all there are and were.

    Apart, so that the planner knows them by name: a few messages among many are found by index.
    """
    return None if operator_id is None else await queries.gateway_ids(db, operator_id)
