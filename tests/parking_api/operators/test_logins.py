"""Gateways' passwords over HTTP: what is checked, what is known already, what is not looked at."""

import pytest

from parking_api.operators.broker_files import is_password, mosquitto_hash
from parking_api.operators.errors import LoginRefusedError, TooManyLoginsError
from parking_api.operators.logins import FORGIVEN_S, MOST_REMEMBERED, MOST_WRONG, Logins

HERE, THERE = "192.0.2.1", "192.0.2.2"
GOOD = {"gw-a": mosquitto_hash("right", b"a" * 12), "gw-b": mosquitto_hash("other", b"b" * 12)}


@pytest.fixture
def logins() -> Logins:
    made = Logins()
    made.load(GOOD)
    return made


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which passwords have been hashed."""
    seen: list[str] = []

    def watching(password: str, stored: str) -> bool:
        seen.append(password)
        return is_password(password, stored)

    monkeypatch.setattr("parking_api.operators.logins.is_password", watching)
    return seen


def test_a_password_is_hashed_once_and_none_is_kept(logins: Logins, hashed: list[str]) -> None:
    for _ in range(3):
        logins.check("gw-a", "right", HERE, 0.0)
    assert hashed == ["right"]
    assert "right" not in repr(vars(logins))
    for name, password in (("gw-a", "other"), ("gw-b", "right"), ("gw-c", "right"), ("", "")):
        with pytest.raises(LoginRefusedError):
            logins.check(name, password, HERE, 0.0)
    # A name that nobody has takes as long.
    assert hashed == ["right", "other", "right", "right", ""]


def test_a_new_password_ends_the_old_one_at_once(logins: Logins, hashed: list[str]) -> None:
    logins.check("gw-a", "right", HERE, 0.0)
    logins.check("gw-b", "other", HERE, 0.0)
    logins.load(GOOD | {"gw-a": mosquitto_hash("new", b"a" * 12)})
    with pytest.raises(LoginRefusedError):
        logins.check("gw-a", "right", HERE, 0.0)
    logins.check("gw-a", "new", HERE, 0.0)
    # The others' stay known.
    logins.check("gw-b", "other", HERE, 0.0)
    assert hashed == ["right", "other", "right", "new"]
    logins.load({})
    with pytest.raises(LoginRefusedError):
        logins.check("gw-a", "new", HERE, 0.0)


def guess(logins: Logins, name: str, number: int, address: str = HERE, now_s: float = 0.0) -> None:
    for _ in range(number):
        with pytest.raises(LoginRefusedError):
            logins.check(name, "guess", address, now_s)


def test_wrong_passwords_are_bounded_and_forgiven_with_time(
    logins: Logins, hashed: list[str]
) -> None:
    guess(logins, "gw-a", MOST_WRONG)
    for password in ("guess", "right"):
        with pytest.raises(TooManyLoginsError) as refused:
            logins.check("gw-a", password, HERE, 0.0)
        assert refused.value.headers == {"Retry-After": str(round(FORGIVEN_S))}
    assert len(hashed) == MOST_WRONG
    guess(logins, "gw-a", 1, now_s=FORGIVEN_S)
    with pytest.raises(TooManyLoginsError):
        logins.check("gw-a", "right", HERE, 1.5 * FORGIVEN_S)
    logins.check("gw-a", "right", HERE, 2 * FORGIVEN_S)


def test_nobody_locks_a_gateway_out_from_elsewhere(logins: Logins) -> None:
    guess(logins, "gw-a", MOST_WRONG, THERE)
    guess(logins, "gw-b", MOST_WRONG)
    logins.check("gw-a", "right", HERE, 0.0)
    # Once it is known, not even from there.
    logins.check("gw-a", "right", THERE, 0.0)


def test_what_strangers_make_it_remember_is_bounded(logins: Logins) -> None:
    guess(logins, "nobody", MOST_WRONG)
    with pytest.raises(TooManyLoginsError):
        logins.check("nobody else", "guess", HERE, 0.0)
    for number in range(MOST_REMEMBERED + 5):
        logins._remember((f"address {number}", ""), 0.0)
    assert len(logins._wrong) == MOST_REMEMBERED
