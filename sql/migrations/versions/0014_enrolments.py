"""Enrolments: two persons agree to each new person, role and key.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; people may be without roles."""
    op.execute("""
ALTER TABLE person
    DROP CONSTRAINT person_roles_check,
    ADD CONSTRAINT person_roles_check CHECK (
        roles <@ ARRAY['operator', 'bureau_drafter', 'bureau_approver', 'operations']
    )
""")
    op.execute("""
CREATE TABLE enrolment (
    enrolment_id text NOT NULL,
    kind text NOT NULL CONSTRAINT enrolment_kind_check CHECK (kind IN ('person', 'roles', 'key')),
    person_id text NOT NULL,
    name text,
    roles text[] NOT NULL CONSTRAINT enrolment_roles_check CHECK (
        roles <@ ARRAY['operator', 'bureau_drafter', 'bureau_approver', 'operations']
    ),
    operator_id text,
    state text NOT NULL CONSTRAINT enrolment_state_check CHECK (
        state IN ('started', 'confirmed', 'completed', 'withdrawn')
    ),
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    confirmed_by text,
    confirmed_at timestamptz,
    code_hash bytea CONSTRAINT enrolment_code_hash_check CHECK (length(code_hash) = 32),
    code_expires_at timestamptz,
    tries smallint DEFAULT 0 NOT NULL CONSTRAINT enrolment_tries_check CHECK (
        tries BETWEEN 0 AND 5
    ),
    completed_at timestamptz,
    key_id text,
    CONSTRAINT enrolment_pkey PRIMARY KEY (enrolment_id),
    CONSTRAINT enrolment_operator_id_fkey FOREIGN KEY (operator_id)
        REFERENCES operator (operator_id),
    CONSTRAINT enrolment_key_id_fkey FOREIGN KEY (key_id) REFERENCES api_key (key_id),
    CONSTRAINT enrolment_two_people_check CHECK (
        confirmed_by <> started_by AND confirmed_by <> person_id AND started_by <> person_id
    ),
    CONSTRAINT enrolment_confirmed_check CHECK (
        state IN ('started', 'withdrawn') OR confirmed_by IS NOT NULL
    ),
    CONSTRAINT enrolment_code_check CHECK (
        state <> 'confirmed' OR code_hash IS NOT NULL AND code_expires_at IS NOT NULL
    )
)
""")


def downgrade() -> None:
    """Remove it; whoever has no role any more loses their keys with it."""
    op.execute("DROP TABLE enrolment")
    op.execute("""
UPDATE api_key SET revoked_at = coalesce(revoked_at, now())
WHERE person_id IN (SELECT person_id FROM person WHERE cardinality(roles) = 0)
""")
    op.execute("UPDATE person SET roles = '{bureau_drafter}' WHERE cardinality(roles) = 0")
    op.execute("""
ALTER TABLE person
    DROP CONSTRAINT person_roles_check,
    ADD CONSTRAINT person_roles_check CHECK (
        roles <@ ARRAY['operator', 'bureau_drafter', 'bureau_approver', 'operations']
        AND cardinality(roles) > 0
    )
""")
