"""The audit's seals: a file that is only added to, and the key by which its lines are made.

A line says at what time the chain had how many entries and which head, and ends with an HMAC:

    2026-11-28T09:30:00.123456+00:00 1204 HEAD HMAC

HEAD and HMAC are 64 hexadecimal digits. The HMAC is HMAC-SHA256 over the HMAC of the line before
(32 bytes, zero for the first) and the text of this line up to it. So nobody without the key can
alter, add or remove a line. Only that lines were cut off at the end, the file itself cannot show:
the sealing process notices while it runs, and whoever keeps the file, or its log, elsewhere.
"""

import fcntl
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from parking_api.audit.service import Head

_NO_MAC: Final = bytes(32)
_KEY_BYTES: Final = 32
_PRIVATE: Final = 0o600
# Ends a line that was not written to its end, so that it is no seal.
_UNFINISHED: Final = b" unfinished\n"
_LINE: Final = re.compile(rb"((\S+) (\d{1,19}) ([0-9a-f]{64})) ([0-9a-f]{64})\n")


class SealsError(Exception):
    """The file of seals or its key cannot be used; the message says why."""


class SealsBrokenError(SealsError):
    """Somebody else changed the file of seals; the message says where."""


@dataclass(frozen=True)
class Seal:
    """A line of the file.

    Attributes:
        at: When, by the clock of the process that seals.
        head: The chain's end then.
        mac: The line's HMAC.
    """

    at: datetime
    head: Head
    mac: bytes


@dataclass
class Sealed:
    """What all seals of the same number of entries say.

    Attributes:
        hash: Of the last of these entries.
        first_at: When there were that many for the first time; no entry of them is younger.
        last_at: When there were that many for the last time; every later entry is younger.
    """

    hash: bytes
    first_at: datetime
    last_at: datetime


@dataclass
class Seals:
    """What a file of seals says.

    Attributes:
        number: How many seals there are.
        first: The first of them, and `last` the last; None where there is none.
        by_entries: What they say, by the number of entries, which never gets less.
    """

    number: int = 0
    first: Seal | None = None
    last: Seal | None = None
    by_entries: dict[int, Sealed] = field(default_factory=dict)

    def add(self, seal: Seal) -> None:
        """Take a further seal.

        Raises:
            SealsBrokenError: It contradicts those before it.
        """
        entries = seal.head.entries
        known = self.by_entries.get(entries)
        if known is None:
            if self.last is not None and entries < self.last.head.entries:
                raise SealsBrokenError(f"seal {self.number + 1} has fewer entries than before")
            self.by_entries[entries] = Sealed(seal.head.hash, seal.at, seal.at)
        elif known.hash == seal.head.hash:
            known.last_at = seal.at
        else:
            raise SealsBrokenError(f"seal {self.number + 1} has another head than before")
        self.number += 1
        self.first, self.last = self.first or seal, seal


def _text(at: datetime, head: Head) -> bytes:
    written = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{written} {head.entries} {head.hash.hex()}".encode()


def _mac(key: bytes, previous: bytes, text: bytes) -> bytes:
    return hmac.digest(key, previous + text, "sha256")


def parse(lines: Iterable[bytes], key: bytes) -> Seals:
    """Read seals from the lines of a file.

    A line that was not written to its end, because the disk was full or the machine fell, does not
    count: the next one follows the one before it.

    Args:
        lines: With their ends; the last may have none yet.
        key: By which they were made.

    Raises:
        SealsBrokenError: A line was altered, added or removed, or is of another key.
    """
    seals, strange = Seals(), 0
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            strange = number if line.endswith(b"\n") else 0
            continue
        text, at, entries, head, mac = found.groups()
        expected = _mac(key, seals.last.mac if seals.last else _NO_MAC, text)
        if not hmac.compare_digest(expected, bytes.fromhex(mac.decode())):
            why = "was altered, or one before it, or is missing" if number > 1 else "was altered"
            raise SealsBrokenError(f"line {number} {why}, or the key is another")
        seals.add(
            Seal(
                datetime.fromisoformat(at.decode()),
                Head(int(entries), bytes.fromhex(head.decode())),
                expected,
            )
        )
        strange = 0
    if strange:
        raise SealsBrokenError(f"line {strange} was altered: it is no seal")
    return seals


def read_seals(path: Path, key: bytes) -> Seals:
    """Read a file of seals.

    Raises:
        SealsError: It cannot be read, or is empty.
        SealsBrokenError: A line was altered, added or removed, or is of another key.
    """
    try:
        with path.open("rb") as file:
            seals = parse(file, key)
    except SealsBrokenError as error:
        raise SealsBrokenError(f"{path}: {error}") from error
    except OSError as error:
        raise SealsError(f"the file of seals {path}: {error.strerror}") from error
    if seals.last is None:
        raise SealsBrokenError(f"{path} is empty: it has no seal")
    return seals


def read_key(path: Path) -> bytes:
    """Read a key.

    Raises:
        SealsError: It cannot be read, others can read it too, or it is no key.
    """
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            content = file.read(1024)
    except OSError as error:
        raise SealsError(f"the key {path}: {error.strerror}") from error
    if not stat.S_ISREG(about.st_mode):
        raise SealsError(f"the key {path} is not a file")
    if about.st_uid not in (os.geteuid(), 0):
        raise SealsError(f"the key {path} belongs to another user, who can read it")
    if about.st_mode & 0o077:
        mode = stat.S_IMODE(about.st_mode)
        raise SealsError(f"others can read the key {path} (mode {mode:04o}): chmod 600 {path}")
    if not re.fullmatch(rb"[0-9a-f]{64}\n?", content):
        raise SealsError(f"{path} is no key: it has not {2 * _KEY_BYTES} hexadecimal digits")
    return bytes.fromhex(content.decode())


def make(path: Path, key_path: Path) -> bool:
    """Make a key and an empty file of seals, where neither is there.

    Returns:
        Whether they were made.

    Raises:
        SealsError: One of them is there without the other, or they cannot be made.
    """
    try:
        has_key = key_path.exists()
        if has_key and path.exists():
            return False
        has_seals = path.exists() and path.stat().st_size > 0
        if has_key or has_seals:
            gone, there = (path, key_path) if has_key else (key_path, path)
            raise SealsError(f"{gone} is gone, but {there} is there")
        for one in (path, key_path):
            one.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The key last: a fall in between leaves what counts as nothing.
        _write_new(path, b"", os.O_TRUNC)
        _write_new(key_path, secrets.token_hex(_KEY_BYTES).encode() + b"\n", os.O_EXCL)
    except OSError as error:
        raise SealsError(f"{error.filename or path}: {error.strerror}") from error
    return True


def _write_new(path: Path, content: bytes, flag: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, _PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


class SealFile:
    """A file of seals that this process alone adds to; `opened` gives one.

    Attributes:
        seals: What it says.
    """

    def __init__(self, path: Path, descriptor: int, key: bytes, seals: Seals) -> None:
        self.seals = seals
        self._path = path
        self._descriptor = descriptor
        self._key = key
        self._size = os.fstat(descriptor).st_size

    def append(self, at: datetime, head: Head) -> Seal:
        """Add a seal, and return once it is on the disk.

        Raises:
            SealsBrokenError: Somebody else changed the file since it was opened, or it is gone;
                nothing was added.
            SealsError: It cannot be written.
        """
        self._check()
        previous = self.seals.last.mac if self.seals.last else _NO_MAC
        text = _text(at, head)
        seal = Seal(at, head, _mac(self._key, previous, text))
        line = text + b" " + seal.mac.hex().encode() + b"\n"
        if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
            line = _UNFINISHED + line
        try:
            if os.write(self._descriptor, line) < len(line):
                raise SealsError(f"{self._path} cannot be written: the disk is full")
            self.seals.add(seal)
            os.fsync(self._descriptor)
        except OSError as error:
            raise SealsError(f"{self._path} cannot be written: {error.strerror}") from error
        finally:
            self._size = os.fstat(self._descriptor).st_size
        return seal

    def _check(self) -> None:
        here = os.fstat(self._descriptor)
        try:
            there = self._path.stat()
        except OSError as error:
            raise SealsBrokenError(f"{self._path} is gone: {error.strerror}") from error
        if not os.path.samestat(here, there):
            raise SealsBrokenError(f"{self._path} is another file than before")
        if here.st_size != self._size:
            raise SealsBrokenError(f"{self._path} was cut or added to by somebody else")


@contextmanager
def opened(path: Path, key: bytes) -> Iterator[SealFile]:
    """Open a file of seals to add to it, for this process alone.

    Raises:
        SealsError: It cannot be opened, or another process seals.
        SealsBrokenError: A line was altered, added or removed, or is of another key.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SealsError(f"the file of seals {path}: {error.strerror}") from error
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with path.open("rb") as file:
                try:
                    seals = parse(file, key)
                except SealsBrokenError as error:
                    raise SealsBrokenError(f"{path}: {error}") from error
            yield SealFile(path, descriptor, key, seals)
            return
        raise SealsError(f"another process seals into {path}")
    finally:
        os.close(descriptor)
