"""A column of a packed day whose values are all the same has it once.

Revision ID: 0021
Revises: 0020
"""

from typing import Final

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_COLUMNS: Final = (
    *("capacity", "covered_s", "free_space_s", "free_min", "free_max", "full_s", "space_s"),
    "known_space_s",
)


def _check(lengths: str) -> None:
    for name in _COLUMNS:
        op.execute(
            f"ALTER TABLE lot_occupancy_fed DROP CONSTRAINT lot_occupancy_fed_{name}_check,"
            f" ADD CONSTRAINT lot_occupancy_fed_{name}_check CHECK (cardinality({name}) {lengths})"
        )


def upgrade() -> None:
    """Let arrays of one in."""
    _check("= ANY (ARRAY[1, 288])")


def downgrade() -> None:
    """Write all values again."""
    for name in _COLUMNS:
        op.execute(
            f"UPDATE lot_occupancy_fed SET {name} = ("  # noqa: S608 - columns of ours
            f"SELECT array_agg(CASE WHEN f.free_last IS NOT NULL THEN {name}[1] END ORDER BY place)"
            " FROM unnest(free_last) WITH ORDINALITY AS f (free_last, place)"
            f") WHERE cardinality({name}) = 1"
        )
    _check("= 288")
