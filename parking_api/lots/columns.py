"""Writes the states of many lots in columns, all at once."""

from datetime import datetime

import numpy as np
import orjson

from parking_api.city.grid import Indices
from parking_api.city.table import DATA_STATES, STATUSES, UNKNOWN, Marks, Table
from parking_api.models import Json, local

_MICROS_A_SECOND = 1_000_000


def state_columns(
    table: Table, marks: Marks, lots: Indices, as_of: datetime | None, *, are_all: bool
) -> bytes:
    """Return the states of some lots, as other answers tell them: `StateColumns` as JSON.

    Args:
        table: The lots.
        marks: Their states.
        lots: Which of them, in their order.
        as_of: The newest commit that is in them.
        are_all: Whether they are all that were asked for.
    """
    chosen = Marks(*(column[lots] for column in marks))
    # What is too old is not told: by the rules of `Table.at`.
    is_known = chosen.data_states != UNKNOWN
    free = np.where(is_known, chosen.free_spaces, -1)
    observed = np.where(chosen.versions < 0, -1, chosen.observed // _MICROS_A_SECOND)
    ids = [table.lots[index].facts.lot_id for index in lots.tolist()]
    columns: Json = {
        "all": are_all,
        "lot_id": ids,
        "capacity": chosen.capacities.tolist(),
        "free_spaces": [None if count < 0 else count for count in free.tolist()],
        "unknown_spaces": np.where(is_known, chosen.unknown_spaces, chosen.capacities).tolist(),
        "status": [STATUSES[code] for code in chosen.statuses.tolist()],
        "data_state": [DATA_STATES[code] for code in chosen.data_states.tolist()],
        "observed_at": [None if at < 0 else at for at in observed.tolist()],
        "closed": {
            ids[place]: _closure(table, int(lots[place]))
            for place in np.flatnonzero(chosen.closures).tolist()
        },
        "as_of": as_of,
    }
    return orjson.dumps(columns)


def _closure(table: Table, index: int) -> Json:
    facts = table.lots[index].facts
    until = local(facts.closed_until, facts.timezone)
    return {"closed_until": until, "closed_reason": facts.closed_reason}
