"""The ingester's transactions: reads the registry at the start, commits one batch at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO

import msgspec

from ingest_mqtt import queries
from ingest_mqtt.copying import SPACE_EVENT, copied
from ingest_mqtt.effects import Outcome
from ingest_mqtt.lots import Committed, GatewaySize, Registry
from sql.engine import Db, Transaction, transaction
from sql.lot_state_store import load_lots, write_states

_COUNT_EVENT = ("lot_id", "free_spaces", "capacity", "observed_at", "received_at")
# The row of `ingester_status` that is ours.
INGESTER = "ingester"


async def load_registry(db: Db, lot_ids: Sequence[str] | None = None) -> Registry:
    """Read who may report what: every gateway, and the lots in `lot_ids`, or all."""
    gateways = await queries.gateways(db)
    return Registry(
        await load_lots(db, lot_ids),
        {one.gateway_id: one.operator_id for one in gateways},
        {one.gateway_id: GatewaySize(one.lots, one.spaces) for one in gateways},
    )


async def commit(
    db: Db,
    outcome: Outcome,
    built_on: Mapping[str, Committed],
    also: Callable[[Transaction], Awaitable[None]] | None = None,
    *,
    observations: int = 0,
) -> dict[str, Committed]:
    """Write a batch's outcome in one transaction: state, history and what else belongs to it.

    Args:
        db: A connection outside any transaction.
        outcome: What `decide` made of the batch.
        built_on: The committed states that it was decided on.
        also: Writes the rest, in the same transaction: dead letters, results of replays.
        observations: Bays and counts that were applied before it, since the start; a heartbeat
            tells of them and of its own batch's.

    Returns:
        The committed state of each lot that changed.

    Raises:
        SupersededError: The database holds another state of a lot than the one built on.
        asyncpg.PostgresError, OSError, TimeoutError: Nothing is known to be written.
    """
    async with transaction(db) as within:
        committed = await write_states(within, outcome.states, built_on)
        if outcome.space_events:
            await db.copy_to_table(
                "space_event",
                source=BytesIO(copied(outcome.space_events)),
                columns=SPACE_EVENT,
                format="binary",
            )
        if outcome.count_events:
            await db.copy_records_to_table(
                "count_event", records=outcome.count_events, columns=_COUNT_EVENT
            )
        if outcome.steps.by_key:
            await queries.add_steps(
                within,
                [
                    queries.NewStep(
                        lot_id=lot_id,
                        step_at=datetime.fromtimestamp(second, UTC),
                        **msgspec.structs.asdict(step),
                    )
                    for (lot_id, second), step in sorted(outcome.steps.by_key.items())
                ],
            )
        if also is not None:
            await also(within)
        if outcome.has_heartbeat:
            await queries.beat(within, INGESTER, observations + outcome.observations)
    return committed
