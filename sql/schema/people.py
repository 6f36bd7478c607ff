"""People, their keys, and the audit of what they did."""

from datetime import datetime
from typing import get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.kinds import OPERATOR, Role
from sql.schema.base import Base, BigInt, Json, check


class Person(Base):
    """Somebody who may log in."""

    __table_args__ = (
        CheckConstraint(f"('{OPERATOR}' = ANY (roles)) = (operator_id IS NOT NULL)", "operator"),
    )

    person_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    # At least one.
    roles: Mapped[list[str]] = mapped_column(
        check("roles", f"<@ ARRAY{[*get_args(Role)]} AND cardinality(roles) > 0")
    )
    # Whose lots they are about; for the role `operator`, and only for it.
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.operator_id"))
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A key that a person logs in with."""

    # The public part, by which it is found and named.
    key_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), index=True)
    # SHA-256 of the secret part.
    hash: Mapped[bytes] = mapped_column(CheckConstraint("length(hash) = 32", "hash"))
    created_at: Mapped[datetime]
    # From when on it is no longer good: no key lasts for ever.
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # To a few minutes only.
    last_used_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("api_key.key_id"))


class AuditEntry(Base):
    """An act of a person, chained to the one before by hashes; `parking_api.audit` makes them.

    The application's role may read and add rows, nothing else; a trigger refuses the rest to
    everybody.
    """

    __table_args__ = (Index("audit_entry_subject_idx", "subject", "entry_id"),)

    # From 1 without a gap.
    entry_id: Mapped[BigInt] = mapped_column(
        check("entry_id", "> 0"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    # Who; no foreign key: a row outlives whatever it tells of.
    person_id: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[Json | None] = mapped_column(JSONB)
    after: Mapped[Json | None] = mapped_column(JSONB)
    reason: Mapped[str | None]
    # Unique, so that the chain cannot fork.
    previous_hash: Mapped[bytes] = mapped_column(
        CheckConstraint("length(previous_hash) = 32", "previous_hash"), unique=True
    )
    hash: Mapped[bytes] = mapped_column(CheckConstraint("length(hash) = 32", "hash"), unique=True)
