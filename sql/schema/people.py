"""People, their keys, and the audit of what they did."""

from datetime import datetime
from typing import get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.kinds import OPERATOR, Role
from sql.schema.base import Base, BigInt, Json, SmallInt, check


class Person(Base):
    """Somebody who may log in."""

    __table_args__ = (
        CheckConstraint(f"('{OPERATOR}' = ANY (roles)) = (operator_id IS NOT NULL)", "operator"),
    )

    person_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    # None for somebody whose roles were taken away.
    roles: Mapped[list[str]] = mapped_column(check("roles", f"<@ ARRAY{[*get_args(Role)]}"))
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


class Enrolment(Base):
    """A person who is to be known, or to have further roles or a key: two others agree to it."""

    __table_args__ = (
        CheckConstraint(
            "confirmed_by <> started_by AND confirmed_by <> person_id AND started_by <> person_id",
            "two_people",
        ),
        CheckConstraint(
            "state IN ('started', 'withdrawn') OR confirmed_by IS NOT NULL", "confirmed"
        ),
        CheckConstraint(
            "state <> 'confirmed' OR code_hash IS NOT NULL AND code_expires_at IS NOT NULL", "code"
        ),
    )

    enrolment_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(check("kind", "IN ('person', 'roles', 'key')"))
    # No foreign key: of the kind `person` nobody is there yet.
    person_id: Mapped[str]
    # What a new person is called.
    name: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(check("roles", f"<@ ARRAY{[*get_args(Role)]}"))
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("operator.operator_id"))
    state: Mapped[str] = mapped_column(
        check("state", "IN ('started', 'confirmed', 'completed', 'withdrawn')")
    )
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    # SHA-256 of the one-time code, until it is used.
    code_hash: Mapped[bytes | None] = mapped_column(
        CheckConstraint("length(code_hash) = 32", "code_hash")
    )
    code_expires_at: Mapped[datetime | None]
    # How often the code was tried.
    tries: Mapped[SmallInt] = mapped_column(
        check("tries", "BETWEEN 0 AND 5"), server_default=text("0")
    )
    completed_at: Mapped[datetime | None]
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_key.key_id"))


class AuditEntry(Base):
    """An act of a person, chained to the one before by hashes; `parking_api.audit` has them made.

    The application's role may read rows, and add them by the function `add_audit_entry`, nothing
    else; triggers refuse the rest to everybody, and a row that does not follow the last one.
    """

    __table_args__ = (
        Index("audit_entry_subject_idx", "subject", "entry_id"),
        CheckConstraint(
            "(format = 2) = (recorded_at IS NOT NULL) AND (format = 2) = (recorded_by IS NOT NULL)",
            "recorded",
        ),
    )

    # From 1 without a gap.
    entry_id: Mapped[BigInt] = mapped_column(
        check("entry_id", "> 0"), primary_key=True, autoincrement=False
    )
    # When, as the program says.
    at: Mapped[datetime]
    # Who, as the program says; no foreign key: a row outlives whatever it tells of.
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
    # What the hash is taken over: 1 before the database made the entries, 2 since.
    format: Mapped[SmallInt] = mapped_column(check("format", "IN (1, 2)"))
    # When, by the database's clock; the entry may have been committed a little later.
    recorded_at: Mapped[datetime | None]
    # The role of the database that recorded it.
    recorded_by: Mapped[str | None]
