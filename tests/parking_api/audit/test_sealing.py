"""Sealing: what the chain alone cannot show, its seals show, to who seals and who verifies."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from deploy import postgres
from parking_api.__main__ import main
from parking_api.audit.sealing import Sealer
from parking_api.audit.seals import make, opened, read_key, read_seals
from parking_api.audit.service import ChainBrokenError, verify
from parking_api.command_line import connected
from sql.engine import Db
from tests.parking_api.audit import attacks
from tests.parking_api.audit.adding import add
from tests.parking_api.audit.attacks import attack
from tests.polling import until
from tests.servers import Databases, as_role

CLOCK = partial(datetime.now, UTC)


@dataclass(frozen=True)
class Place:
    """Where seals and key are, the database as the seal's role has it, and what commands print."""

    seals: Path
    key: Path
    url: str
    capsys: pytest.CaptureFixture[str]

    @asynccontextmanager
    async def sealing(self) -> AsyncIterator[tuple[Sealer, Db]]:
        """Begin to seal; each sealing goes by a connection of its own, as in the process."""
        async with connected(self.url, "test") as db:
            with opened(self.seals, read_key(self.key)) as file:
                yield Sealer(file, CLOCK), db

    async def seal(self) -> None:
        async with self.sealing() as (sealer, db):
            await sealer.seal(db)

    async def verified(self) -> int:
        """The exit status of `audit verify` by the seal's role."""
        command = ["audit", "verify", "--seals", str(self.seals), "--key", str(self.key)]
        return await asyncio.to_thread(main, [*command, "--database-url", self.url])

    def errors(self) -> str:
        """What commands have written to their standard error."""
        return self.capsys.readouterr().err

    def output(self) -> str:
        """What commands have printed."""
        return self.capsys.readouterr().out

    def number(self) -> int:
        return read_seals(self.seals, read_key(self.key)).number


@pytest.fixture
def place(tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]) -> Place:
    url = as_role(database_url, postgres.SEAL)
    made = Place(tmp_path / "seals", tmp_path / "key", url, capsys)
    make(made.seals, made.key)
    return made


async def test_seals_follow_the_chain(db: Db, place: Place) -> None:
    async with place.sealing() as (sealer, reader):
        with capture_logs() as logs:
            await sealer.seal(reader)
            for _ in range(3):
                await add(db)
            await sealer.seal(reader)
            await sealer.seal(reader)
            await add(db)
            await sealer.seal(reader)
    await add(db)
    await place.seal()

    assert [one["entries"] for one in logs] == [0, 3, 3, 4]
    seals = read_seals(place.seals, read_key(place.key))
    assert list(seals.by_entries) == [0, 3, 4, 5]
    assert await place.verified() == 0
    first, second = place.output().splitlines()
    assert first.startswith("5 entries, head ")
    assert second.startswith("sealed to entry 5 at ")
    assert ": 5 seals since " in second


# What is done, and what is then said.
CHAINS = {
    attacks.CUT: "4 entries were sealed .*, and there are 2",
    attacks.CUT_AND_GO_ON: "entry 4 is another than the one that was sealed",
    attacks.WRITE_ANEW: "entry 4 is another than the one that was sealed",
    "DELETE FROM audit_entry": "4 entries were sealed .*, and there are 0",
}


@pytest.mark.parametrize("statements", CHAINS)
async def test_a_chain_that_was_changed_and_is_right_in_itself_shows(
    db: Db, owner_url: str, place: Place, statements: str
) -> None:
    for _ in range(4):
        await add(db)
    async with place.sealing() as (sealer, reader):
        await sealer.seal(reader)
        await attack(owner_url, statements)
        # The chain shows nothing.
        await verify(db)

        for _ in range(2):
            with pytest.raises(ChainBrokenError, match="entry 4, which was there before"):
                await sealer.seal(reader)
            # Later entries make it no better.
            await add(db)
    with pytest.raises(ChainBrokenError, match="sealed"):
        await place.seal()

    assert place.number() == 1
    assert await place.verified() == 1
    said = place.errors()
    assert "the audit is broken: " in said


async def test_an_entry_of_long_ago_is_looked_at_again_within_the_hour(
    db: Db, owner_url: str, place: Place
) -> None:
    for _ in range(4):
        await add(db)
    async with place.sealing() as (sealer, reader):
        await sealer.seal(reader)
        await attack(owner_url, "UPDATE audit_entry SET person_id = 'li' WHERE entry_id = 2")
        for _ in range(59):
            await sealer.seal(reader)
        # Not sealed over, from then on.
        for _ in range(2):
            with pytest.raises(ChainBrokenError, match="entry 2 was changed"):
                await sealer.seal(reader)
    assert place.number() == 60


@pytest.mark.parametrize("statements", CHAINS)
async def test_it_says_what_is_wrong(db: Db, owner_url: str, place: Place, statements: str) -> None:
    for _ in range(4):
        await add(db)
    await place.seal()
    assert await place.verified() == 0
    await attack(owner_url, statements)

    with pytest.raises(ChainBrokenError, match=CHAINS[statements]):
        await place.seal()
    assert await place.verified() == 1
    assert "sealed" in place.errors()


async def test_what_was_rewritten_between_two_seals_shows(
    db: Db, owner_url: str, place: Place
) -> None:
    """Its end is another, though not the last entry that was seen."""
    await add(db)
    await add(db)
    async with place.sealing() as (sealer, reader):
        await sealer.seal(reader)
        await add(db)
        await add(db)
        await attack(owner_url, "UPDATE audit_entry SET person_id = 'li' WHERE entry_id = 3")
        with pytest.raises(ChainBrokenError, match="entry 3 was changed"):
            await sealer.seal(reader)
    assert place.number() == 1


async def test_an_older_copy_of_the_database_shows(
    db: Db, databases: Databases, database_url: str, place: Place
) -> None:
    for _ in range(2):
        await add(db)
    await place.seal()
    await db.close()
    older = await databases.create(template=database_url.rpartition("/")[2])
    async with connected(database_url, "test") as on:
        await add(on)
    await place.seal()
    older_place = replace(place, url=as_role(older, postgres.SEAL))

    assert await place.verified() == 0
    assert await older_place.verified() == 1
    assert "an older copy was restored" in place.errors()
    with pytest.raises(ChainBrokenError, match="an older copy was restored"):
        await older_place.seal()
    await databases.drop(older)


@pytest.mark.parametrize(
    ("statements", "said"),
    [(attacks.FORGE_TIME, "not there yet"), (attacks.FORGE_TIME_TO_COME, "there already")],
)
async def test_a_forged_time_shows(
    db: Db, owner_url: str, place: Place, statements: str, said: str
) -> None:
    """The application cannot say when it records; the owner can, by switching triggers off."""
    await add(db)
    async with place.sealing() as (sealer, reader):
        await sealer.seal(reader)
        await attack(owner_url, statements)
        assert (await verify(db)).entries == 2
        # It is sealed as it is, so that it stays; else one late commit would end all sealing.
        with capture_logs() as logs:
            await sealer.seal(reader)
    errors = [one["reason"] for one in logs if one["log_level"] == "error"]
    assert len(errors) == 1
    assert errors[0].startswith("entry 2 says that it was recorded at ")
    assert said in errors[0]
    assert place.number() == 2

    assert await place.verified() == 1
    assert "the audit is doubtful: entry 2 says" in place.errors()


async def test_times_are_right_where_seals_are_few(db: Db, place: Place) -> None:
    """Entries of before the first seal, and between two that are far apart."""
    await add(db)
    at = datetime.now(UTC) + timedelta(days=3)
    async with connected(place.url, "test") as reader:
        with opened(place.seals, read_key(place.key)) as file:
            await Sealer(file, lambda: at).seal(reader)
    assert await place.verified() == 0


async def test_the_highest_number_jams_nobody_unseen(db: Db, owner_url: str, place: Place) -> None:
    await add(db)
    async with place.sealing() as (sealer, reader):
        await sealer.seal(reader)
        await attack(owner_url, attacks.JAM)
        with pytest.raises(ChainBrokenError, match="entry 2 is missing: 9223372036854775807"):
            await sealer.seal(reader)
    assert await place.verified() == 1
    assert "entry 2 is missing" in place.errors()


@pytest.mark.parametrize("change", ["a line", "the key", "the file", "empty"])
async def test_verification_needs_the_seals(db: Db, place: Place, change: str) -> None:
    await add(db)
    await place.seal()
    await add(db)
    await place.seal()
    assert await place.verified() == 0
    if change == "a line":
        place.seals.write_bytes(place.seals.read_bytes().replace(b" 1 ", b" 2 ", 1))
    elif change == "the key":
        place.key.write_text("00" * 32)
    elif change == "the file":
        place.seals.unlink()
    else:
        place.seals.write_bytes(b"")

    assert await place.verified() == 1
    assert "the audit's seals: " in place.errors()


async def test_the_usual_place(
    db: Db, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without seals there it says so; a key without seals is an error."""
    await add(db)
    monkeypatch.chdir(tmp_path)
    command = ["audit", "verify", "--database-url", place.url]
    assert await asyncio.to_thread(main, command) == 0
    assert "not sealed: there is no var/seal/seals" in place.output()
    make(Path("var/seal/seals"), Path("var/seal/key"))
    assert await asyncio.to_thread(main, command) == 1
    assert "is empty" in place.errors()
    await place.seal()
    monkeypatch.setenv("AUDIT_SEALS", str(place.seals))
    monkeypatch.setenv("AUDIT_KEY", str(place.key))
    assert await asyncio.to_thread(main, command) == 0
    assert "sealed to entry 1" in place.output()
    monkeypatch.setenv("AUDIT_SEALS", str(tmp_path / "none"))
    assert await asyncio.to_thread(main, command) == 1


@contextmanager
def running(place: Place, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, which seals every few hundredths of a second."""
    environment = {
        **os.environ,
        "DATABASE_URL": place.url,
        "AUDIT_SEALS": str(place.seals),
        "AUDIT_KEY": str(place.key),
        "AUDIT_EVERY_S": "0.05",
    }
    command = [sys.executable, "-m", "parking_api", "audit", "seal", "--make"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_the_process(db: Db, owner_url: str, tmp_path: Path, place: Place) -> None:
    log = tmp_path / "log"
    place.seals.unlink()
    place.key.unlink()
    await add(db)
    with running(place, log) as process:
        await until(lambda: "entries=1" in log.read_text())
        assert place.key.stat().st_mode & 0o777 == 0o600
        await add(db)
        await until(lambda: "entries=2" in log.read_text())
        await attack(owner_url, "DELETE FROM audit_entry WHERE entry_id = 2")
        await until(lambda: log.read_text().count("level=error") > 2)
        assert "entry 2, which was there before, is gone or another" in log.read_text()
        number = place.number()
        await add(db, subject="tariff/other")
        at = len(log.read_text())
        await until(lambda: log.read_text()[at:].count("level=error") > 2)
        assert place.number() == number
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


async def test_the_process_outlives_the_database(
    db: Db, databases: Databases, tmp_path: Path, place: Place
) -> None:
    log = tmp_path / "log"
    await add(db)
    name = place.url.rpartition("/")[2]
    with running(place, log) as process:
        await until(lambda: "entries=1" in log.read_text())
        async with databases._connected() as superuser:
            await superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await until(lambda: "the database does not answer" in log.read_text())
            await superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await add(db)
        await until(lambda: "entries=2" in log.read_text())
        assert process.poll() is None


@pytest.mark.parametrize("change", ["mode", "key gone", "seals gone", "another key"])
async def test_the_process_refuses_to_begin(
    db: Db, tmp_path: Path, place: Place, change: str
) -> None:
    log = tmp_path / "log"
    await add(db)
    await place.seal()
    said = {
        "mode": "chmod 600",
        "key gone": "key is gone, but",
        "seals gone": "seals is gone, but",
        "another key": "the key is another",
    }[change]
    if change == "mode":
        place.key.chmod(0o644)
    elif change == "another key":
        place.key.write_text("00" * 32)
    else:
        (place.key if change == "key gone" else place.seals).unlink()
    with running(place, log) as process:
        assert process.wait(20) == 1
    assert said in log.read_text()
    assert "level=error" in log.read_text()


async def test_who_seals_reads_nothing_else(place: Place) -> None:
    async with connected(place.url, "test") as thief:
        await thief.execute("SET default_transaction_read_only = off")
        tables = await thief.fetch(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p', 'v') AND has_any_column_privilege(c.oid, 'SELECT')"
            " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')"
        )
        assert {row["relname"] for row in tables} == {"audit_entry"}
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await thief.execute("SELECT * FROM audit_entry FOR UPDATE")
