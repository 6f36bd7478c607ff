"""The ingester's side of the database: what is read at the start, and one commit a batch."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

import asyncpg

from ingest_mqtt.effects import Outcome
from ingest_mqtt.lots import CLASSES, Committed, GatewaySize, Lot, LotState, Registry
from ingest_mqtt.occupancy import Steps
from sql.engine import Db
from sql.named import named

_SPACE_EVENT = ("lot_id", "number", "state", "observed_at", "received_at")
_COUNT_EVENT = ("lot_id", "free_spaces", "capacity", "observed_at", "received_at")


class SupersededError(Exception):
    """The database holds a newer state than ours: another ingester wrote, or we must reload."""


async def load_registry(db: Db) -> Registry:
    """Read who may report what, with the bays of each class."""
    masks: dict[str, list[int]] = {}
    for row in await db.fetch(named("registry_classes")):
        bits = sum(1 << (number - 1) for number in row["numbers"])
        masks.setdefault(row["lot_id"], [0] * len(CLASSES))[CLASSES.index(row["space_class"])] = (
            bits
        )
    lots = {
        row["lot_id"]: _lot(row, masks.get(row["lot_id"], [0] * len(CLASSES)))
        for row in await db.fetch(named("registry_lots"))
    }
    gateways = await db.fetch(named("registry_gateways"))
    return Registry(
        lots,
        {row["gateway_id"]: row["operator_id"] for row in gateways},
        {row["gateway_id"]: GatewaySize(row["lots"], row["spaces"]) for row in gateways},
    )


def _lot(row: asyncpg.Record, masks: list[int]) -> Lot:
    _, accessible, ev, large = masks
    standard = ((1 << row["capacity"]) - 1) & ~(accessible | ev | large)
    return Lot(**dict(row), class_masks=(standard, accessible, ev, large))


async def load_states(db: Db) -> dict[str, Committed]:
    """Read every lot's committed state, by lot id."""
    return {row["lot_id"]: _committed(row) for row in await db.fetch(named("state_load"))}


def _committed(row: asyncpg.Record) -> Committed:
    def bits(name: str) -> int | None:
        return None if row[name] is None else int.from_bytes(row[name], "little")

    by_class = tuple(row[f"free_{name}"] for name in CLASSES)
    state = LotState(
        epoch=row["epoch"],
        seq=row["seq"],
        capacity=row["capacity"],
        free_spaces=row["free_spaces"],
        occupied=bits("occupied_bits"),
        unknown=bits("unknown_bits"),
        free_by_class=None if by_class[0] is None else by_class,
        observed_at=row["observed_at"],
        received_at=row["received_at"],
    )
    return Committed(state, row["version"], row["committed_at"])


async def commit(
    db: Db, outcome: Outcome, also: Callable[[Db], Awaitable[None]] | None = None
) -> dict[str, Committed]:
    """Write a batch's outcome in one transaction: state, history and what else belongs to it.

    Args:
        db: A connection outside any transaction.
        outcome: What `decide` made of the batch.
        also: Writes the rest, in the same transaction: dead letters, results of replays.

    Returns:
        The committed state of each lot that changed.

    Raises:
        SupersededError: A state was not written, since the database has a newer one.
        asyncpg.PostgresError, OSError, TimeoutError: Nothing is known to be written.
    """
    async with db.transaction():
        committed = await _write_states(db, outcome.states)
        if outcome.space_events:
            await db.copy_records_to_table(
                "space_event", records=outcome.space_events, columns=_SPACE_EVENT
            )
        if outcome.count_events:
            await db.copy_records_to_table(
                "count_event", records=outcome.count_events, columns=_COUNT_EVENT
            )
        await _add_steps(db, outcome.steps)
        if also is not None:
            await also(db)
    return committed


async def _write_states(db: Db, states: dict[str, LotState]) -> dict[str, Committed]:
    if not states:
        return {}
    # In one order always, so that two writers could never wait for each other in a circle.
    columns = zip(*(_state_row(lot_id, states[lot_id]) for lot_id in sorted(states)), strict=True)
    rows = await db.fetch(named("state_apply"), *(list(column) for column in columns))
    if len(rows) < len(states):
        raise SupersededError
    return {
        row["lot_id"]: Committed(states[row["lot_id"]], row["version"], row["committed_at"])
        for row in rows
    }


def _state_row(lot_id: str, state: LotState) -> tuple[object, ...]:
    return (
        lot_id,
        state.epoch,
        state.seq,
        state.capacity,
        state.free_spaces,
        bitmap_bytes(state.occupied, state.capacity),
        bitmap_bytes(state.unknown, state.capacity),
        *(state.free_by_class or (None,) * len(CLASSES)),
        state.observed_at,
        state.received_at,
    )


def bitmap_bytes(bits: int | None, capacity: int) -> bytes | None:
    """Lay a bitmap out as bytes, bay n at bit (n-1) mod 8 of byte (n-1) div 8."""
    return None if bits is None else bits.to_bytes((capacity + 7) // 8, "little")


async def _add_steps(db: Db, steps: Steps) -> None:
    if not steps.by_key:
        return
    rows = (
        (
            lot_id,
            datetime.fromtimestamp(second, UTC),
            step.capacity,
            step.covered_s,
            step.free_space_s,
            step.free_last,
            step.free_min,
            step.free_max,
            step.full_s,
        )
        for (lot_id, second), step in sorted(steps.by_key.items(), key=lambda item: item[0])
    )
    columns: Iterable[tuple[object, ...]] = zip(*rows, strict=True)
    await db.execute(named("occupancy_add"), *(list(column) for column in columns))
