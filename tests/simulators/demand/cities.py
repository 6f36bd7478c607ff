"""Small cities and demands to try, and their time."""

from datetime import datetime
from typing import Any

import msgspec

from simulators.demand.parameters import DEMO_FILE, Parameters
from simulators.registry import Lot

OFFSET_S = 8 * 3_600
DAY_S = 86_400
HOUR_S = 3_600


def at(text: str) -> float:
    """Return the Unix seconds of a local time."""
    return datetime.fromisoformat(f"{text}+08:00").timestamp()


def day(text: str) -> int:
    """Return days since 1970-01-01 of a date."""
    return int((at(text) + OFFSET_S) // DAY_S)


def lot(lot_id: str, capacity: int, land_use: str, **more: Any) -> Lot:
    """Make a lot that senses bays."""
    return Lot(lot_id, "gw-a", "surface", land_use, "bays", 600, capacity, **more)


def city(land_use: str, lots: int = 100, capacity: int = 200) -> list[Lot]:
    """Make lots of one land use, near to none."""
    return [lot(f"lot-{n}", capacity, land_use) for n in range(lots)]


def parameters(use: str, base: Parameters | None = None, **changes: Any) -> Parameters:
    """Return the demo's parameters, or others, with blocks of one land use changed.

    The city has no level of its own.
    """
    known = DEMO_FILE.read_bytes() if base is None else msgspec.json.encode(base)
    document = msgspec.json.decode(known)
    document["city"]["level"] = {"sd": 0, "memory": 0}
    for block, fields in changes.items():
        document["land_uses"][use].setdefault(block, {}).update(fields)
    return msgspec.convert(document, Parameters)


STILL: dict[str, Any] = {
    "level": {"sd": 0, "memory": 0},
    "lot_level": {"sd": 0, "memory": 0},
    "wander": {"sd": 0, "hours": 1},
    "weekdays": {"sd": 0, "from": "assumed: all alike"},
}
