"""Caps, in their order, each on what the one before left (contract, Charging 8).

Taking from the latest units of a group leaves its earlier ones whole; so one pass in the order of
time, in which each unit keeps what the cap still holds, comes to the same. A piece lies wholly
within each of its groups, hence its units can be taken together.
"""

from collections.abc import Sequence

from pricing.charging.clock import Piece
from pricing.charging.rates import VehicleRates


def capped(pieces: Sequence[Piece], rates: VehicleRates) -> list[int]:
    """What each piece charges after all caps, over the vehicle's denominator."""
    amounts = [piece.gross for piece in pieces]
    if rates.window_caps:
        _cap_windows(pieces, amounts, rates.window_caps)
    for cap, limit in rates.caps:
        if cap.window == "session":
            groups = [0] * len(pieces)
        elif cap.window == "calendar_day":
            groups = [piece.day for piece in pieces]
        else:
            groups = [piece.block for piece in pieces]
        _cap_groups(groups, amounts, limit)
    return amounts


def _cap_windows(pieces: Sequence[Piece], amounts: list[int], caps: dict[int, int]) -> None:
    left: dict[int, int] = {}
    for place, piece in enumerate(pieces):
        if not amounts[place] or piece.period is None or piece.period.index not in caps:
            continue
        room = left.get(piece.key)
        if room is None:
            room = caps[piece.period.index]
        amounts[place] = kept = min(amounts[place], room)
        left[piece.key] = room - kept


def _cap_groups(groups: Sequence[int], amounts: list[int], limit: int) -> None:
    left: dict[int, int] = {}
    for place, group in enumerate(groups):
        amount = amounts[place]
        if amount:
            room = left.get(group, limit)
            amounts[place] = kept = min(amount, room)
            left[group] = room - kept
