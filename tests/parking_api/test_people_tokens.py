"""Keys and tokens by themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking_api.people.keys import ApiKey
from parking_api.people.tokens import Claims, Signer

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLAIMS = Claims("wang", ("operator",), "op-a", "0123456789ab", NOW + timedelta(minutes=15))
SIGNER = Signer(b"s" * 32)


def test_a_key_is_read_as_it_was_written() -> None:
    key = ApiKey.new()

    assert ApiKey.read(key.written()) == key
    assert key.matches(key.hash())
    assert not ApiKey.new().matches(key.hash())
    assert len(key.secret) == 43
    assert key.secret not in repr(key)


@pytest.mark.parametrize(
    "text", ["", "ok_", "ok__", "ok_0123456789ab_", "xk_0123456789ab_" + "a" * 43, "\uff10" * 59]
)
def test_what_is_no_key(text: str) -> None:
    assert ApiKey.read(text) is None


def test_a_token_says_what_it_was_told() -> None:
    assert SIGNER.read(SIGNER.sign(CLAIMS), NOW) == CLAIMS
    assert SIGNER.read(SIGNER.sign(CLAIMS), CLAIMS.expires_at) is None
    assert Signer(b"t" * 32).read(SIGNER.sign(CLAIMS), NOW) is None


@given(st.data())
def test_a_changed_token_is_none(data: st.DataObject) -> None:
    token = SIGNER.sign(CLAIMS)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != token[place]))

    assert SIGNER.read(token[:place] + other + token[place + 1 :], NOW) is None
    assert SIGNER.read(token[:place], NOW) is None


@given(st.text())
def test_any_text_is_no_token(text: str) -> None:
    assert SIGNER.read(text, NOW) is None
