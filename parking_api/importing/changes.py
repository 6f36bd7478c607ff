"""What an import changes: all that is registered, as it was before and as it is after it."""

import json
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from parking_api.importing import queries
from sql.engine import Db

# In the order in which they depend on each other.
_KINDS: Final = (
    "operator", "gateway", "district", "place", "zone", "lot", "tariff", "price control", "calendar"
)  # fmt: skip
# These stand as hashes, which say nothing to people.
_HASHES: Final = ("ground", "bay_places", "content")

# Of degrees: a centimetre.
_DECIMALS: Final = 7

# The fields of each thing, by its kind and id.
Registered = Mapping[tuple[str, str], Mapping[str, JsonValue]]


async def read_registered(db: Db) -> Registered:
    """Read all that imports write, in the transaction's view."""
    return {
        (row.kind, row.thing_id): json.loads(row.details) for row in await queries.registered(db)
    }


def describe_changes(before: Registered, after: Registered) -> list[str]:
    """Return a line for each thing that is new, changed or gone.

    Args:
        before: As it was.
        after: As it is.
    """
    things = sorted(before.keys() | after.keys(), key=lambda one: (_KINDS.index(one[0]), one[1]))
    return [line for thing in things if (line := _line(thing, before.get(thing), after.get(thing)))]


def _line(
    thing: tuple[str, str],
    before: Mapping[str, JsonValue] | None,
    after: Mapping[str, JsonValue] | None,
) -> str | None:
    name = " ".join(thing)
    if before == after:
        return None
    if after is None:
        return f"{name} is no more"
    if before is None:
        told = [
            f"{field} {_text(value)}"
            for field, value in after.items()
            if value is not None and field not in _HASHES
        ]
        return f"new {name}: {', '.join(told)}"
    changed = [
        field if field in _HASHES else f"{field} {_text(before.get(field))} -> {_text(value)}"
        for field, value in after.items()
        if value != before.get(field)
    ]
    return f"changed {name}: {', '.join(changed)}"


def _text(value: JsonValue) -> str:
    if isinstance(value, float):
        value = round(value, _DECIMALS)
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
