"""How many posts of a gateway may wait for their acks: a bound over all processes of the API."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from parking_api.feeds.errors import TooManyPostsError

MOST_WAITING: Final = 16
# Of a gateway's hash, so that its places are at an offset of their own.
_HASH_BYTES: Final = 6


class Places:
    """Each post that waits holds a lock on a byte of a file, which stays empty.

    The system shares the locks between processes, and frees those of a process that dies.

    Args:
        file: Writable, opened by the parent of all processes that count together; never closed
            while one of them runs.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._held: dict[str, set[int]] = {}

    @contextmanager
    def taken(self, gateway_id: str) -> Iterator[None]:
        """Hold one of a gateway's places.

        Raises:
            TooManyPostsError: All are taken.
        """
        held = self._held.get(gateway_id, set())
        place = self._take(gateway_id, held)
        self._held[gateway_id] = held | {place}
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
            self._held[gateway_id] -= {place}
            if not self._held[gateway_id]:
                del self._held[gateway_id]

    def _take(self, gateway_id: str, held: set[int]) -> int:
        digest = hashlib.sha256(gateway_id.encode()).digest()[:_HASH_BYTES]
        first = int.from_bytes(digest, "big") * MOST_WAITING
        # A process is never refused its own locks.
        for place in set(range(first, first + MOST_WAITING)) - held:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):
                continue
            return place
        raise TooManyPostsError
