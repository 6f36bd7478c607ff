"""The tables of people, their keys and the audit, in the same metadata as the city's."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from sql.kinds import OPERATOR
from sql.tables import metadata

ROLES: Final = (OPERATOR, "bureau_drafter", "bureau_approver", "operations")
# SHA-256.
HASH_BYTES: Final = 32

person = Table(
    "person",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # Some of ROLES; at least one.
    Column("roles", ARRAY(Text), nullable=False),
    # Whose lots it is about; for the role `operator`, and only for it.
    Column("operator_id", Text, ForeignKey("operator.operator_id")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(f"roles <@ ARRAY{list(ROLES)} AND cardinality(roles) > 0", name="roles"),
    CheckConstraint(f"('{OPERATOR}' = ANY (roles)) = (operator_id IS NOT NULL)", name="operator"),
)

api_key = Table(
    "api_key",
    metadata,
    # The public part, by which it is found and named.
    Column("key_id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.person_id"), nullable=False),
    # SHA-256 of the secret part.
    Column("hash", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # From when on it is no longer good; null for a key that stays good until it is revoked.
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    # To a few minutes only: see api_key_touch.sql.
    Column("last_used_at", DateTime(timezone=True)),
    Column("replaced_by", Text, ForeignKey("api_key.key_id")),
    Index("api_key_person_id_idx", "person_id"),
    CheckConstraint(f"length(hash) = {HASH_BYTES}", name="hash"),
)

# The application's role may read and add rows, nothing else; a trigger refuses the rest to
# everybody. `parking_api.audit` makes and verifies the hashes.
audit_entry = Table(
    "audit_entry",
    metadata,
    # From 1 without a gap.
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # Who; no foreign key: a row outlives whatever it tells of.
    Column("person_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("reason", Text),
    # Unique, so that the chain cannot fork.
    Column("previous_hash", LargeBinary, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Index("audit_entry_subject_idx", "subject", "entry_id"),
    CheckConstraint("entry_id > 0", name="entry_id"),
    CheckConstraint(f"length(previous_hash) = {HASH_BYTES}", name="previous_hash"),
    CheckConstraint(f"length(hash) = {HASH_BYTES}", name="hash"),
)
