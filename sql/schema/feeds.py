"""What went wrong with the feeds: messages refused, and what the ingester says of itself."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sql.schema.base import Base, BigInt, check


class DeadLetter(Base):
    """A message that was refused, masked: fields of docs/contract/feeds.md are kept, else kinds."""

    __table_args__ = (
        Index(None, "gateway_id", "last_received_at"),
        Index(
            "dead_letter_replay_idx",
            *("lot_id", "epoch", "seq"),
            postgresql_where=text("replay_requested_at IS NOT NULL"),
        ),
    )

    dead_letter_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    # Keyed (HMAC) digest of topic and payload: a message that comes again is kept once.
    digest: Mapped[bytes] = mapped_column(unique=True)
    # Names that are not registered are masked, in the topic and in the two after it.
    topic: Mapped[str]
    gateway_id: Mapped[str]
    lot_id: Mapped[str]
    epoch: Mapped[BigInt | None]
    seq: Mapped[BigInt | None]
    reason: Mapped[str]
    detail: Mapped[str]
    payload: Mapped[str]
    times: Mapped[int] = mapped_column(server_default=text("1"))
    received_at: Mapped[datetime] = mapped_column(index=True)
    last_received_at: Mapped[datetime]
    # Of what came, in bytes; and the byte at which it stopped being JSON, where it did.
    payload_bytes: Mapped[int]
    fault_at: Mapped[int | None]
    # Whether the masked payload says all that came, so that it can be taken in again.
    whole: Mapped[bool]
    # Set by operations; null again once the ingester has taken the message in.
    replay_requested_at: Mapped[datetime | None]
    replayed_at: Mapped[datetime | None]
    # What became of it then: as an ack says, with the reason after a colon where there is one.
    replay_result: Mapped[str | None]


class IngesterStatus(Base):
    """What the ingester says of itself, for `/readyz`."""

    __table_args__ = (
        CheckConstraint("(stopped IS NULL) = (stopped_at IS NULL)", name="stopped_at"),
    )

    # `ingester`: there is one writer.
    ingester: Mapped[str] = mapped_column(primary_key=True)
    # When a heartbeat that went through broker, inbox and a commit was committed last.
    heartbeat_at: Mapped[datetime | None]
    # Why it takes no messages at the moment; null while it does.
    stopped: Mapped[str | None] = mapped_column(check("stopped", "IN ('internal', 'clock')"))
    stopped_at: Mapped[datetime | None]
    # Bays and counts that were applied from its start until that heartbeat.
    observations: Mapped[BigInt | None]
