"""Caps, in their order, each on what the one before left (docs/contract/tariff.md, Charging 8).

Taking from the latest units of a group leaves its earlier ones whole; so one pass in the order of
time, in which each unit keeps what the cap still holds, comes to the same. A piece lies wholly
within each of its groups, hence its units can be taken together.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from pricing.charging.clock import Piece
from pricing.charging.rates import VehicleRates

# What the pieces of one group have in common, by the cap's window.
_GROUP: Final[dict[str, Callable[[Piece], int]]] = {
    "session": lambda _: 0,
    "calendar_day": attrgetter("day"),
    "rolling_24h": attrgetter("block"),
}


def capped(pieces: Sequence[Piece], rates: VehicleRates) -> list[int]:
    """What each piece charges after all caps, over the vehicle's denominator."""
    amounts = [piece.gross for piece in pieces]
    if rates.window_caps:
        _cap_windows(pieces, amounts, rates.window_caps)
    for cap, limit in rates.caps:
        left: dict[int, int] = {}
        for place, group in enumerate(map(_GROUP[cap.window], pieces)):
            if amount := amounts[place]:
                room = left.get(group, limit)
                amounts[place] = kept = min(amount, room)
                left[group] = room - kept
    return amounts


def _cap_windows(pieces: Sequence[Piece], amounts: list[int], caps: dict[int, int]) -> None:
    left: dict[int, int] = {}
    for place, (piece, amount) in enumerate(zip(pieces, amounts, strict=True)):
        if amount and piece.period is not None and piece.period.index in caps:
            room = left.get(piece.key, caps[piece.period.index])
            amounts[place] = kept = min(amount, room)
            left[piece.key] = room - kept
