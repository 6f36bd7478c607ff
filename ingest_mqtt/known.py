"""The ingester's copy in memory: who may report what, and every lot's committed state."""

import contextlib
from collections.abc import Callable, Collection, Iterable

import structlog

from ingest_mqtt.lots import Committed, Registry
from ingest_mqtt.store import load_registry
from sql.engine import Db, transaction
from sql.lot_state_store import SupersededError, load_states, write_states
from sql.lot_states import misfits

log = structlog.get_logger()


class Known:
    """The registry and the states as the database holds them.

    Attributes:
        registry: Who may report what.
        committed: Every lot's state in the database, but for lots that are retired: nobody is told
            those.
        woken: Called when the database says that there is something to read again.
    """

    def __init__(self) -> None:
        self.registry = Registry()
        self.committed: dict[str, Committed] = {}
        self.woken: Callable[[], None] = lambda: None
        self._due: set[str] | None = set()
        self._changed: set[str] = set()

    @property
    def is_due(self) -> bool:
        """Whether there is something to read again."""
        return self._due is None or bool(self._due)

    def note(self, *notification: object) -> None:
        """Receive an import's notification: lot ids, separated by spaces; none for all."""
        self.read_again(str(notification[-1]).split())
        self.woken()

    def read_again(self, lot_ids: Collection[str] = ()) -> None:
        """Mark some lots and their states to be read again; all where none is named."""
        if not lot_ids:
            self._due = None
        elif self._due is not None:
            self._due.update(lot_ids)

    def take_changed(self) -> set[str]:
        """Return the lots whose states others changed or removed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    async def read_due(self, db: Db) -> None:
        """Read the lots again that notifications have named."""
        due, self._due = self._due, set()
        await self.read(db, due)

    async def read(self, db: Db, lot_ids: Collection[str] | None = None) -> None:
        """Read lots and their states, and fit the states that do not fit their lots.

        An import fits the states that it finds. A first report that was decided on
        the registration before may have been committed since.

        Args:
            db: A connection outside any transaction.
            lot_ids: Which lots; None for all.
        """
        while True:
            with contextlib.suppress(SupersededError):
                return await self._read(db, lot_ids)

    async def _read(self, db: Db, lot_ids: Collection[str] | None) -> None:
        ids = None if lot_ids is None else sorted(lot_ids)
        if ids is None:
            self._due = set()
        # One snapshot of both: with an import in between, states would seem not to fit their lots.
        async with transaction(db, isolation="repeatable_read", readonly=True):
            registry = await load_registry(db, ids)
            states = await load_states(db, ids)
        # They stay in the database, for lots that come back.
        states = {key: one for key, one in states.items() if not registry.lots[key].is_retired}
        fits = misfits(registry.lots, states)
        async with transaction(db) as within:
            states |= await write_states(within, fits, states)
        self._take(
            registry, states, self.committed if ids is None else ids, is_complete=ids is None
        )
        log.info("read", lots=len(registry.lots), states=len(states), fitted=len(fits))

    def _take(
        self,
        registry: Registry,
        states: dict[str, Committed],
        lot_ids: Iterable[str],
        *,
        is_complete: bool,
    ) -> None:
        before = {lot_id: self.committed.get(lot_id) for lot_id in {*lot_ids, *states}}
        self._changed |= {lot_id for lot_id, known in before.items() if known != states.get(lot_id)}
        if is_complete:
            self.registry, self.committed = registry, states
            return
        lots = {key: lot for key, lot in self.registry.lots.items() if key not in before}
        self.registry = Registry(lots | dict(registry.lots), registry.operators, registry.sizes)
        others = {key: state for key, state in self.committed.items() if key not in before}
        self.committed = others | states
