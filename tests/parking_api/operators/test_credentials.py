"""Credentials: for the database, for the gateways, for the broker."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parking_api.__main__ import main
from parking_api.credentials_file import CredentialsFileError, write_atomically
from parking_api.operators.broker_files import is_password, mosquitto_hash, new_password, new_salt
from parking_api.operators.command import BrokerUnknownError, reload_broker
from parking_api.operators.credentials import Issued, Places, issue
from sql.engine import Db
from tests.parking_api.import_files import PLATFORM


def entries(places: Places) -> dict[str, dict[str, Any]]:
    document = json.loads(places.file.read_text())
    return {entry["username"]: entry for entry in document["gateways"]}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_hash_is_as_mosquitto_passwd_writes_it(tmp_path: Path) -> None:
    made = tmp_path / "made"
    call = ["mosquitto_passwd", "-b", "-c", str(made), "gw", "secret"]
    subprocess.run(call, check=True, capture_output=True)
    stored = made.read_text().strip().partition(":")[2]

    assert is_password("secret", stored)
    assert not is_password("Secret", stored)
    assert stored.startswith("$7$101$")


def test_a_hash_depends_on_salt_and_password() -> None:
    salt = bytes(range(12))

    stored = mosquitto_hash("secret", salt)

    assert stored.startswith("$7$101$AAECAwQFBgcICQoL$")
    assert mosquitto_hash("secret", new_salt()) != stored
    assert mosquitto_hash("secret", salt, 102) != stored


@pytest.mark.parametrize(
    "stored", ["", "kept", "$6$a$b", "$7$x$AA==$BB", "$7$9$!$BB", "$7$0$AA==$"]
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not is_password("secret", stored)


def test_passwords_are_long_and_differ() -> None:
    made = {new_password() for _ in range(100)}

    assert len(made) == 100
    assert {len(password) for password in made} == {24}


async def test_every_gateway_gets_a_password(small_city: Db, places: Places) -> None:
    issued = await issue(small_city, places, PLATFORM)

    found = entries(places)
    assert issued == Issued(gateways=3, new=3)
    assert {key: (entry["lots"], entry["simulated"]) for key, entry in found.items()} == {
        "gw-a1": (["370202-0001"], True),
        "gw-a2": (["370202-0002"], False),
        "gw-b1": (["370203-0001"], True),
    }
    for row in await small_city.fetch("SELECT gateway_id, password_hash FROM gateway"):
        assert is_password(found[row["gateway_id"]]["password"], row["password_hash"])
        line = f"{row['gateway_id']}:{row['password_hash']}\n"
        assert line in (places.broker_directory / "passwd").read_text()
    assert mode(places.file) == 0o600
    assert mode(places.broker_directory / "passwd") == 0o640
    assert mode(places.broker_directory / "acl") == 0o640


async def test_nobody_is_told_to_report_a_retired_lot(small_city: Db, places: Places) -> None:
    await small_city.execute("UPDATE lot SET retired_at = now() WHERE lot_id = '370202-0001'")

    await issue(small_city, places, PLATFORM)

    assert entries(places)["gw-a1"]["lots"] == []
    assert entries(places)["gw-a2"]["lots"] == ["370202-0002"]


async def test_passwords_stay_when_there_is_nothing_to_issue(
    small_city: Db, places: Places
) -> None:
    await issue(small_city, places, PLATFORM)
    first = entries(places)
    document = json.loads(places.file.read_text())
    places.file.write_text(json.dumps({"operators": ["kept"], **document}))

    issued = await issue(small_city, places, PLATFORM)

    assert issued == Issued(gateways=3, new=0)
    assert entries(places) == first
    assert json.loads(places.file.read_text())["operators"] == ["kept"]


@pytest.mark.parametrize("in_database", [True, False])
async def test_a_lost_password_is_issued_again(
    small_city: Db, places: Places, *, in_database: bool
) -> None:
    await issue(small_city, places, PLATFORM)
    first = entries(places)
    if in_database:
        await small_city.execute(
            "UPDATE gateway SET password_hash = NULL WHERE gateway_id <> 'gw-b1'"
        )
    else:
        other = {**first["gw-a1"], "password": "of another database"}
        places.file.write_text(json.dumps({"gateways": [other, first["gw-b1"]]}))

    issued = await issue(small_city, places, PLATFORM)

    found = entries(places)
    assert issued.new == 2
    assert {key for key in found if found[key] != first[key]} == {"gw-a1", "gw-a2"}
    for row in await small_city.fetch("SELECT gateway_id, password_hash FROM gateway"):
        assert is_password(found[row["gateway_id"]]["password"], row["password_hash"])


async def test_a_file_that_is_none_is_left_alone(small_city: Db, places: Places) -> None:
    for content in ("{", "[]", '{"gateways": [{"user": "gw-a1"}]}', '{"gateways": 1}'):
        places.file.write_text(content)

        with pytest.raises(CredentialsFileError, match="move it away"):
            await issue(small_city, places, PLATFORM)

        assert places.file.read_text() == content
    assert await small_city.fetchval("SELECT count(password_hash) FROM gateway") == 0


async def test_a_file_that_cannot_be_written_changes_no_password(
    small_city: Db, places: Places
) -> None:
    places.broker_directory.rmdir()

    with pytest.raises(FileNotFoundError):
        await issue(small_city, places, PLATFORM)

    assert await small_city.fetchval("SELECT count(password_hash) FROM gateway") == 0


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old", 0o600)

    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800", 0o600)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_broker_gets_its_files_as_its_own(tmp_path: Path) -> None:
    """Root gives them to whoever owns the directory; anybody else can only keep them."""
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(tmp_path, *owner)

    write_atomically(tmp_path / "acl", "text", 0o640, like_directory=True)

    found = (tmp_path / "acl").stat()
    assert (found.st_uid, found.st_gid) == owner
    assert mode(tmp_path / "acl") == 0o640
    assert (tmp_path / "acl").read_text() == "text"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no"),
        ("{}", "names none"),
        ('{"processes": {"broker": "x"}}', "names none"),
        ('{"processes": {"broker": 4194305}}', "process 4194305 is gone"),
    ],
)
def test_a_broker_that_is_not_there_is_told(
    tmp_path: Path, content: str | None, message: str
) -> None:
    run_file = tmp_path / "run.json"
    if content is not None:
        run_file.write_text(content)

    with pytest.raises(BrokerUnknownError, match=message):
        reload_broker(run_file)


def test_the_command_issues_and_says_so(database_url: str, places: Places) -> None:
    words = ["--file", str(places.file), "--broker-dir", str(places.broker_directory)]
    call = [sys.executable, "-m", "parking_api", "credentials", *words]
    secrets = {f"PLATFORM_{who}_PASSWORD": who for who in ("INGEST", "API", "PUSH")}
    environment = {**os.environ, "DATABASE_URL": database_url, **secrets}

    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"0 gateways, 0 new passwords: {places.file}\n"
    assert json.loads(places.file.read_text()) == {"gateways": []}


def test_the_command_needs_the_platforms_passwords(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLATFORM_INGEST_PASSWORD", raising=False)

    with pytest.raises(SystemExit) as caught:
        main(["credentials"])

    assert caught.value.code == 2
    assert "PLATFORM_INGEST_PASSWORD is not set" in capsys.readouterr().err
