"""What is no fault and looks like one: lots in no district, or far from all others."""

from typing import Final

from parking_api.importing import queries
from parking_api.importing.faults import Fault
from parking_api.importing.queries import DoubtfulPlace
from parking_api.importing.reading import Register
from parking_api.importing.rows import LotRow
from sql.engine import Db

# A city is not so wide that one of its lots has no other within this.
FAR_M: Final = 50_000.0


async def find_doubts(db: Db, lots: Register[LotRow]) -> tuple[Fault, ...]:
    """Find the lots whose places are to be looked at, in the order of the file.

    Args:
        db: A connection that sees the lots as they were written.
        lots: The lots of the file.
    """
    found = await queries.doubtful_places(db, list(lots.entries), FAR_M)
    doubts = [
        Fault(lots.file, lots.rows[place.lot_id], None, text)
        for place in found
        for text in _doubts(place)
    ]
    return tuple(sorted(doubts, key=lambda doubt: doubt.row or 0))


def _doubts(place: DoubtfulPlace) -> list[str]:
    lot = f"lot {place.lot_id} at longitude {place.longitude:.6f}, latitude {place.latitude:.6f}"
    doubts = [f"{lot} is in no district"] if place.is_outside else []
    if place.nearest_m is not None:
        swapped = "; latitude and longitude look swapped" if place.looks_swapped else ""
        far = f"{place.nearest_m / 1000:,.0f} km from the nearest other lot"
        doubts.append(f"{lot} is {far}{swapped}")
    return doubts
