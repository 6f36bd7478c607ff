"""Dead letters: refused messages, each kept once and masked, within each gateway's daily quota.

A keyed digest recognises a repeated message. The key is not in the database, so that nobody who has
the table can find out by guessing what a message contained.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ingest_mqtt import masking, queries
from ingest_mqtt.effects import DeadLetter
from ingest_mqtt.lots import Registry
from sql.engine import Db, Transaction

# Of all gateways that nobody registered together.
_STRANGERS: Final = ""
_EXPIRE_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a batch's refused messages.

    Attributes:
        reports: Number of reports by what happened: kept for the `first` time, a `repeat`, or
            `over_quota`, which is only counted.
        added: New rows by gateway; all unregistered gateways under one name.
        day: The day (UTC) whose quota they count in.
    """

    reports: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    day: date = date.min


@dataclass(slots=True)
class _Same:
    """One message, how often it came in a batch, and when last."""

    letter: DeadLetter
    last_received_at: datetime
    times: int = 0
    reports: int = 0

    def add(self, letter: DeadLetter) -> None:
        self.last_received_at = max(self.last_received_at, letter.message.received_at)
        self.times += 1
        self.reports += letter.message.is_report


class DeadLetters:
    """Keeps refused messages, and counts how much of its quota each gateway has used.

    Args:
        key: What the digests are keyed with.
        quota: Most messages to keep of a gateway in a day (UTC).
    """

    def __init__(self, key: bytes, quota: int) -> None:
        self._key, self._quota = key, quota
        self._day = date.min
        self._used: Counter[str] = Counter()

    async def load(self, db: Db, now: datetime) -> None:
        """Read how much of the day's quotas is used."""
        self._day = now.astimezone(UTC).date()
        kept = await queries.kept_since(db, datetime.combine(self._day, time(), UTC))
        self._used = Counter({one.gateway_id: one.kept for one in kept})

    async def keep(
        self, db: Transaction, letters: Iterable[DeadLetter], registry: Registry
    ) -> Kept:
        """Write refused messages.

        Args:
            db: A transaction.
            letters: In the order they came; the same one may be there more than once.
            registry: Whose gateways and lots may be named.

        Returns:
            What became of them; give it to `settle` once it is committed.
        """
        same: dict[bytes, _Same] = {}
        for letter in letters:
            one = _Same(letter, letter.message.received_at)
            same.setdefault(self._digest(letter), one).add(letter)
        if not same:
            return Kept()
        repeats = [
            queries.Repeat(digest, one.times, one.last_received_at) for digest, one in same.items()
        ]
        known = set(await queries.repeat_letters(db, repeats))
        new = {digest: one for digest, one in same.items() if digest not in known}
        kept, added, day = self._within_quota(new, registry)
        if kept:
            await queries.keep_letters(
                db, [_row(digest, one, registry) for digest, one in kept.items()]
            )
        return Kept(_reports(same, known, kept), added, day)

    def settle(self, kept: Kept) -> None:
        """Count what is committed against the quotas."""
        if kept.day > self._day:
            self._day, self._used = kept.day, Counter()
        self._used.update(kept.added)

    def _digest(self, letter: DeadLetter) -> bytes:
        message = letter.message
        content = message.topic.encode(errors="surrogatepass") + b"\0" + message.payload
        return hmac.digest(self._key, content, "sha256")

    def _within_quota(
        self, new: Mapping[bytes, _Same], registry: Registry
    ) -> tuple[dict[bytes, _Same], Counter[str], date]:
        """Choose the messages to keep: the first of each gateway, up to its quota of the day."""
        days = [one.letter.message.received_at.astimezone(UTC).date() for one in new.values()]
        day = max(days, default=self._day)
        used = self._used if day <= self._day else Counter[str]()
        kept: dict[bytes, _Same] = {}
        added: Counter[str] = Counter()
        for digest, one in new.items():
            gateway = one.letter.gateway_id
            account = gateway if gateway in registry.operators else _STRANGERS
            if used[account] + added[account] < self._quota:
                added[account] += 1
                kept[digest] = one
        return kept, added, day


def _reports(
    same: Mapping[bytes, _Same], known: set[bytes], kept: Mapping[bytes, _Same]
) -> Counter[str]:
    """Count reports by what happened to them; status messages are not reports."""
    counted: Counter[str] = Counter()
    for digest, one in same.items():
        if digest in known:
            counted["repeat"] += one.reports
        elif digest not in kept:
            counted["over_quota"] += one.reports
        elif one.reports:
            counted["first"] += 1
            counted["repeat"] += one.reports - 1
    return counted


def _row(digest: bytes, one: _Same, registry: Registry) -> queries.NewLetter:
    message, rejection = one.letter.message, one.letter.rejection
    topic, gateway_id, lot_id = masking.mask_topic(message.topic, registry)
    masked = masking.mask_payload(message.topic.rpartition("/")[2], message.payload)
    return queries.NewLetter(
        digest=digest,
        topic=topic,
        gateway_id=gateway_id,
        lot_id=lot_id,
        epoch=rejection.epoch,
        seq=rejection.seq,
        reason=rejection.reason,
        detail=rejection.detail,
        payload=masked.text,
        whole=masked.is_whole,
        payload_bytes=message.size or len(message.payload),
        fault_at=masked.fault_at,
        times=one.times,
        received_at=message.received_at,
        last_received_at=one.last_received_at,
    )


async def expire(db: Db, now: datetime, retention: timedelta) -> bool:
    """Delete some refused messages that are too old; return True where more may be left.

    Args:
        db: A connection outside any transaction.
        now: The platform's clock.
        retention: How long they are kept from when they first came.
    """
    return await queries.expire_letters(db, now - retention, _EXPIRE_AT_ONCE) == _EXPIRE_AT_ONCE
