"""The whole chain gone through, entry by entry."""

from dataclasses import dataclass

from parking_api.audit.service import GENESIS, Connection, entry_hash
from parking_api.models import Row
from sql.named import named

_PAGE = 5_000


class ChainBrokenError(Exception):
    """The chain is broken; the message says where and how."""


@dataclass(frozen=True)
class Head:
    """The end of the chain.

    Attributes:
        entries: How many entries there are, which is the number of the last.
        hash: The last one's hash; 32 zero bytes where there is none.
    """

    entries: int
    hash: bytes


async def verify(connection: Connection, known: bytes | None = None) -> Head:
    """Go through the chain.

    Args:
        connection: To the database; in a transaction of its own the answer is of one instant.
        known: A hash that an earlier verification ended with: it must still be in the chain.

    Returns:
        Its end.

    Raises:
        ChainBrokenError: An entry was changed, removed or put in between; or the chain does not
            hold `known`, so that its end was cut off or written anew.
    """
    head, found = Head(0, GENESIS), known in (None, GENESIS)
    while entries := await connection.fetch(named("audit_entries"), head.entries, _PAGE):
        for entry in entries:
            head = _next(head, entry)
            found = found or head.hash == known
    if not found and known is not None:
        raise ChainBrokenError(
            f"none of its {head.entries:,} entries has the hash {known.hex()}: "
            "its end was cut off or written anew"
        )
    return head


def _next(head: Head, entry: Row) -> Head:
    number = head.entries + 1
    if entry["entry_id"] != number:
        raise ChainBrokenError(f"entry {number} is missing: {entry['entry_id']} comes instead")
    if entry["previous_hash"] != head.hash:
        raise ChainBrokenError(f"entry {number} does not follow the one before it")
    if entry["hash"] != entry_hash(entry):
        raise ChainBrokenError(f"entry {number} was changed: its hash is another")
    return Head(number, entry["hash"])
