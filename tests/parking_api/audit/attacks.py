"""What whoever has the owner's password does to the audit, once its triggers are off."""

from parking_api.command_line import connected

# An entry at the chain's end with a right hash; to be filled in: time, role and format.
RIGHTLY_HASHED = """
WITH last AS (SELECT * FROM audit_entry ORDER BY entry_id DESC LIMIT 1),
said (recorded_at, recorded_by, format) AS (VALUES ({})),
made AS (
    SELECT
        last.entry_id + 1, last.at, 'li'::text, last.action, last.subject, last.before, last.after,
        last.reason, last.hash, ''::bytea, said.format::smallint, said.recorded_at,
        said.recorded_by::text
    FROM last CROSS JOIN said
),
whole AS (SELECT ROW(made.*)::audit_entry AS entry FROM made)
INSERT INTO audit_entry
SELECT
    (entry).entry_id, (entry).at, (entry).person_id, (entry).action, (entry).subject,
    (entry).before, (entry).after, (entry).reason, (entry).previous_hash, audit_entry_hash(entry),
    (entry).format, (entry).recorded_at, (entry).recorded_by
FROM whole
"""
# Each entry gets a right hash, from the first to the last.
RECHAIN = """
DO $$
DECLARE
    one audit_entry;
    previous bytea := decode(repeat('00', 32), 'hex');
BEGIN
    FOR one IN SELECT * FROM audit_entry ORDER BY entry_id LOOP
        one.previous_hash := previous;
        previous := audit_entry_hash(one);
        UPDATE audit_entry SET previous_hash = one.previous_hash, hash = previous
        WHERE entry_id = one.entry_id;
    END LOOP;
END $$
"""
CUT = "DELETE FROM audit_entry WHERE entry_id >= 3"
CUT_AND_GO_ON = f"""
{CUT};
SELECT add_audit_entry('li', 'tariff.approve', 'tariff/b', NULL, NULL, NULL, now());
SELECT add_audit_entry('li', 'tariff.approve', 'tariff/c', NULL, NULL, NULL, now())
"""
WRITE_ANEW = f"UPDATE audit_entry SET person_id = 'li' WHERE entry_id = 2; {RECHAIN}"
FORGE_TIME = RIGHTLY_HASHED.format("now() - interval '1 day', 'onelot_app', 2")
FORGE_TIME_TO_COME = RIGHTLY_HASHED.format("now() + interval '1 day', 'onelot_app', 2")
JAM = """
INSERT INTO audit_entry
SELECT
    9223372036854775807, at, person_id, action, subject, before, after, reason, hash, sha256('x'),
    format, recorded_at, recorded_by
FROM audit_entry ORDER BY entry_id DESC LIMIT 1
"""


async def attack(owner_url: str, statements: str) -> None:
    """Run statements as the owner, with the audit's triggers off."""
    async with connected(owner_url, "test") as owner:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        await owner.execute(statements)
        for trigger in ("audit_entry_stays", "audit_entry_follows"):
            await owner.execute(f"ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER {trigger}")
