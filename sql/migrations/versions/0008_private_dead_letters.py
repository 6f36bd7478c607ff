"""Refused messages are kept masked, and can be taken in again.

What was kept before was kept whole, quoted in `detail`, and found by a digest that anyone who
guesses the message can compute. None of that can be masked after the fact, so of those messages
only what the platform itself said of them is left: when, from which registered gateway, for
which registered lot, why. The table is rewritten, so that the old texts leave the disk with it.

Revision ID: 0008
Revises: 0010
"""

from alembic import op

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None

UP = (
    """
    ALTER TABLE dead_letter
    ADD payload_bytes integer, ADD fault_at integer, ADD whole boolean NOT NULL DEFAULT false,
    ADD replay_requested_at timestamptz, ADD replayed_at timestamptz, ADD replay_result text
    """,
    """
    UPDATE dead_letter AS d SET
        payload_bytes = octet_length(payload),
        detail = 'kept before messages were masked',
        digest = sha256(gen_random_uuid()::text::bytea),
        gateway_id = coalesce(
            (SELECT g.gateway_id FROM gateway AS g WHERE g.gateway_id = d.gateway_id), ''
        ),
        lot_id = coalesce((SELECT l.lot_id FROM lot AS l WHERE l.lot_id = d.lot_id), ''),
        topic = coalesce(
            (
                SELECT 'onelot/v1/feeds/' || g.gateway_id || '/' || l.lot_id || '/' || kind
                FROM gateway AS g, lot AS l, split_part(d.topic, '/', 6) AS kind
                WHERE
                    g.gateway_id = d.gateway_id AND l.lot_id = d.lot_id
                    AND kind IN ('spaces', 'snapshot', 'count', 'status')
            ),
            'onelot/v1/feeds/'
        )
    """,
    """
    ALTER TABLE dead_letter
    ALTER payload TYPE text USING '',
    ALTER payload_bytes SET NOT NULL,
    ALTER whole DROP DEFAULT
    """,
    "CREATE INDEX dead_letter_received_at_idx ON dead_letter (received_at)",
    """
    CREATE INDEX dead_letter_replay_idx ON dead_letter (lot_id, epoch, seq)
    WHERE replay_requested_at IS NOT NULL
    """,
)
DOWN = (
    "DROP INDEX dead_letter_replay_idx",
    "DROP INDEX dead_letter_received_at_idx",
    """
    ALTER TABLE dead_letter
    ALTER payload TYPE bytea USING convert_to(payload, 'UTF8'),
    DROP payload_bytes, DROP fault_at, DROP whole,
    DROP replay_requested_at, DROP replayed_at, DROP replay_result
    """,
)


def upgrade() -> None:
    """Mask what can be masked, remove the rest."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Forget what was added; what is masked stays so."""
    for statement in DOWN:
        op.execute(statement)
