"""The file of seals: what somebody does to its lines shows, and nobody else reads its key."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parking_api.audit.seals import (
    SealsBrokenError,
    SealsError,
    make,
    opened,
    read_key,
    read_seals,
)
from parking_api.audit.service import Head

KEY = bytes(range(32))
AT = datetime(2026, 11, 22, 1, 30, 0, 5, tzinfo=UTC)
HEADS = [Head(0, bytes(32)), *(Head(number, bytes([number]) * 32) for number in (2, 2, 3, 7))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of five seals."""
    made = tmp_path / "seals"
    made.touch()
    with opened(made, KEY) as file:
        for number, head in enumerate(HEADS):
            file.append(AT + timedelta(minutes=number), head)
    return made


def test_what_is_sealed_is_read(path: Path) -> None:
    seals = read_seals(path, KEY)
    assert seals.number == 5
    assert seals.first is not None
    assert seals.last is not None
    assert (seals.first.at, seals.first.head) == (AT, HEADS[0])
    assert (seals.last.at, seals.last.head) == (AT + timedelta(minutes=4), HEADS[-1])
    assert list(seals.by_entries) == [0, 2, 3, 7]
    twice = seals.by_entries[2]
    assert (twice.hash, twice.first_at, twice.last_at) == (
        HEADS[1].hash,
        AT + timedelta(minutes=1),
        AT + timedelta(minutes=2),
    )


def test_it_goes_on_where_it_ended(path: Path) -> None:
    before = path.read_bytes()
    with opened(path, KEY) as file:
        file.append(AT + timedelta(minutes=9), Head(8, b"\x08" * 32))
    assert path.read_bytes().startswith(before)
    assert read_seals(path, KEY).number == 6


Lines = list[bytes]
CHANGES: dict[str, Callable[[Lines], Lines]] = {
    "the first is removed": lambda lines: lines[1:],
    "one is removed": lambda lines: lines[:2] + lines[3:],
    "several are removed": lambda lines: lines[:1] + lines[4:],
    "all but the last": lambda lines: lines[-1:],
    "two are exchanged": lambda lines: [*lines[:1], lines[2], lines[1], *lines[3:]],
    "one is there twice": lambda lines: [*lines, lines[-1]],
    "a time": lambda lines: [lines[0].replace(b"01:30", b"01:31"), *lines[1:]],
    "a number": lambda lines: [*lines[:4], lines[4].replace(b" 7 ", b" 6 ")],
    "a head": lambda lines: [*lines[:4], lines[4].replace(b"07" * 32, b"06" * 32)],
    "an HMAC": lambda lines: [*lines[:4], lines[4][:-2] + b"x\n"],
    "no seal in the middle, the line gone": lambda lines: [*lines[:2], b"\n", *lines[3:]],
    "no seal at the end": lambda lines: [*lines[:4], b"\n"],
    "one more at the end": lambda lines: [*lines, b"x" + lines[4]],
    "an HMAC in capitals": lambda lines: [*lines[:4], lines[4][:-65] + lines[4][-65:].upper()],
    "nothing is left": lambda _: [],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_its_lines_shows(path: Path, change: str) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(CHANGES[change](lines)))
    with pytest.raises(SealsBrokenError):
        read_seals(path, KEY)


def test_another_key_makes_no_seal_of_it(path: Path) -> None:
    with pytest.raises(SealsBrokenError, match="line 1 was altered, or the key is another"):
        read_seals(path, bytes(32))
    with pytest.raises(SealsBrokenError), opened(path, bytes(32)):
        pass


@pytest.mark.parametrize("left", [1, 30, -65, -2, -1])
def test_a_line_that_was_not_finished_does_not_count(path: Path, left: int) -> None:
    *lines, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines) + last[:left])
    assert read_seals(path, KEY).number == 4
    with opened(path, KEY) as file:
        file.append(AT + timedelta(hours=1), HEADS[-1])
        file.append(AT + timedelta(hours=2), HEADS[-1])
    seals = read_seals(path, KEY)
    assert seals.number == 6
    assert len(path.read_bytes().splitlines()) == 7


def _cut(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    with path.open("r+b") as file:
        file.truncate(len(b"".join(lines[:-1])))


def _add(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("change", [_cut, _add, _replace, Path.unlink])
def test_who_seals_notices_another_hand_and_adds_nothing(
    path: Path, change: Callable[[Path], None]
) -> None:
    with opened(path, KEY) as file:
        file.append(AT + timedelta(minutes=9), HEADS[-1])
        change(path)
        left = path.read_bytes() if path.exists() else None
        for _ in range(2):
            with pytest.raises(SealsBrokenError):
                file.append(AT + timedelta(minutes=9), HEADS[-1])
        assert (path.read_bytes() if path.exists() else None) == left


def test_a_full_disk_loses_no_seal_that_was_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with opened(path, KEY) as file:
        monkeypatch.setattr(os, "write", lambda fd, content: write(fd, content[:-1]))
        with pytest.raises(SealsError, match="the disk is full"):
            file.append(AT + timedelta(hours=1), HEADS[-1])
        monkeypatch.undo()
        file.append(AT + timedelta(hours=2), HEADS[-1])
    assert read_seals(path, KEY).number == 6


@pytest.mark.parametrize("head", [Head(6, b"\6" * 32), Head(7, b"\6" * 32)])
def test_what_contradicts_earlier_seals_is_none(path: Path, head: Head) -> None:
    """Also where the key made it."""
    with opened(path, KEY) as file, pytest.raises(SealsBrokenError):
        file.append(AT + timedelta(hours=1), head)


def test_two_do_not_seal_into_one_file(path: Path) -> None:
    with (
        opened(path, KEY),
        pytest.raises(SealsError, match="another process seals"),
        opened(path, KEY),
    ):
        pass


def test_a_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    path, key = tmp_path / "seal/seals", tmp_path / "seal/key"
    assert make(path, key)
    made = read_key(key)
    assert len(made) == 32
    assert (key.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o600, 0o600)
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert not make(path, key)
    assert read_key(key) == made

    for mode in (0o640, 0o604, 0o620, 0o610, 0o660):
        key.chmod(mode)
        with pytest.raises(SealsError, match=r"others can read the key .* chmod 600"):
            read_key(key)


@pytest.mark.parametrize("content", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\nb"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text(content)
    with pytest.raises(SealsError, match="is no key"):
        read_key(key)
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(SealsError):
            read_key(missing)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text("a" * 64)
    os.chown(key, 1, 1)
    with pytest.raises(SealsError, match="belongs to another user"):
        read_key(key)


def test_neither_is_made_where_the_other_is_there(path: Path) -> None:
    key = path.with_name("key")
    with pytest.raises(SealsError, match=r"key is gone, but .*seals is there"):
        make(path, key)
    assert not key.exists()
    path.unlink()
    key.touch(0o600)
    with pytest.raises(SealsError, match=r"seals is gone, but .*key is there"):
        make(path, key)
    assert not path.exists()


def test_a_fall_between_file_and_key_is_made_good(tmp_path: Path) -> None:
    path, key = tmp_path / "seals", tmp_path / "key"
    path.touch()
    assert make(path, key)
    assert read_key(key)
