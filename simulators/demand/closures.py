"""Times for which operators close lots. No clock."""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.registry import Lot, RegistryError

# Those inside when a closure begins are sent out, and are gone after so long. An assumption.
CLEARED_S: Final = 1_800


@dataclass(frozen=True, slots=True)
class Closure:
    """A lot that nobody may enter for a time, whatever its hours; half-open.

    Attributes:
        lot_id: one lot's.
        from_s: Unix seconds.
        to_s: Unix seconds, infinite for without end.
    """

    lot_id: str
    from_s: float
    to_s: float


class Closures:
    """Which lots are closed for a time: those told beforehand, and those told while time goes on.

    Args:
        lots: all, by position.
        planned: closures told beforehand; those of lots that are not there count for nothing.
    """

    def __init__(self, lots: Sequence[Lot], planned: Sequence[Closure] = ()) -> None:
        self._position = {lot.lot_id: number for number, lot in enumerate(lots)}
        known = [each for each in planned if each.lot_id in self._position]
        self._lots = np.array([self._position[each.lot_id] for each in known], dtype=np.int64)
        self._from_s = np.array([each.from_s for each in known])
        self._to_s = np.array([each.to_s for each in known])
        self._told = np.zeros(len(lots), dtype=np.bool_)

    def tell(self, lot_ids: Collection[str]) -> None:
        """Say which lots are closed from now on, beside those planned, until told otherwise."""
        self._told = np.array([lot_id in lot_ids for lot_id in self._position], dtype=np.bool_)

    def at(self, at_s: float) -> NDArray[np.bool_]:
        """Return which lots are closed for a time at an instant in Unix seconds; shape (lots,)."""
        closed = self._told.copy()
        closed[self._lots[(self._from_s <= at_s) & (at_s < self._to_s)]] = True
        return closed


def read_closure(text: str, lots: Sequence[Lot], zone: ZoneInfo) -> Closure:
    """Read `LOT,FROM,TO`: a lot's id, and two local times; an empty TO is without end.

    Raises:
        RegistryError: it is no closure; the message names the part that is wrong.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3:  # noqa: PLR2004 - lot, from, to
        raise RegistryError(f"closure {text!r}: give LOT,FROM,TO")
    lot_id, begins, ends = parts
    known = [lot.lot_id for lot in lots]
    if lot_id not in known:
        like = difflib.get_close_matches(lot_id, known, 3)
        hint = f"; did you mean {' or '.join(like)}?" if like else ""
        raise RegistryError(f"closure {text!r}: no simulated lot {lot_id!r}{hint}")
    from_s = _instant(begins, text, zone)
    to_s = _instant(ends, text, zone) if ends else float("inf")
    if to_s <= from_s:
        raise RegistryError(f"closure {text!r}: it ends before it begins")
    return Closure(lot_id, from_s, to_s)


def _instant(time: str, text: str, zone: ZoneInfo) -> float:
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        raise RegistryError(
            f"closure {text!r}: {time!r} is no time such as 2026-12-05T08:00"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
