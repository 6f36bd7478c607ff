"""Keys and tokens by themselves."""

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking_api.people.keys import ApiKey
from parking_api.people.tokens import PREFIX, Claims, Signer

NOW = datetime(2026, 11, 22, tzinfo=UTC)
EXPIRES_AT = NOW + timedelta(minutes=15)
CLAIMS = Claims("wang", ("operator",), "op-a", "0123456789ab", int(EXPIRES_AT.timestamp()))
SECRET = b"s" * 32
SIGNER = Signer(SECRET)
FIELDS: dict[str, Any] = msgspec.structs.asdict(CLAIMS)


def made(claims: Any, algorithm: str = "HS256", **headers: Any) -> str:
    """A token of any claims, signed with the right secret."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return PREFIX + jwt.PyJWS().encode(payload, SECRET, algorithm, headers)


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
    assert SIGNER.read(SIGNER.sign(CLAIMS), EXPIRES_AT - timedelta(microseconds=1)) == CLAIMS
    assert SIGNER.read(SIGNER.sign(CLAIMS), EXPIRES_AT) is None
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


def test_the_given_clock_alone_decides() -> None:
    # Far from the time of the machine that the test runs on, both ways.
    for year in (1971, 9998):
        now = datetime(year, 1, 1, tzinfo=UTC)
        claims = msgspec.structs.replace(CLAIMS, exp=int(now.timestamp()) + 1)
        assert SIGNER.read(SIGNER.sign(claims), now) == claims
        assert SIGNER.read(SIGNER.sign(claims), now + timedelta(seconds=1)) is None


def test_a_token_is_a_json_web_token() -> None:
    token = SIGNER.sign(CLAIMS).removeprefix(PREFIX)

    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    said = jwt.decode(token, SECRET, ["HS256"], {"verify_exp": False})
    assert said == FIELDS | {"roles": list(CLAIMS.roles)}


def test_the_longest_claims_can_be_read() -> None:
    longest = "x" * 64
    claims = Claims(longest, ("bureau_approver",) * 5, longest, "0" * 12, CLAIMS.exp)

    assert SIGNER.read(SIGNER.sign(claims), NOW) == claims


def test_no_algorithm_is_no_signature() -> None:
    header, payload, _ = SIGNER.sign(CLAIMS).split(".")
    unsigned = jwt.PyJWS().encode(msgspec.json.encode(CLAIMS), "", None)

    for token in (unsigned, unsigned + "A" * 43, f"{header}.{payload}.", f"{header}.{payload}"):
        assert SIGNER.read(token, NOW) is None
        assert SIGNER.read(PREFIX + token.removeprefix(PREFIX), NOW) is None


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_secret(algorithm: str) -> None:
    assert SIGNER.read(made(FIELDS), NOW) == CLAIMS
    assert SIGNER.read(made(FIELDS, algorithm), NOW) is None


ALGORITHMS: list[Any] = ["none", "None", "HS512", "RS256", "hs256", "", None, 1, {}, ["HS256"]]
HEADERS: list[dict[str, Any]] = [
    *({"alg": name} for name in ALGORITHMS),
    {},
    {"alg": "HS256", "b64": False, "crit": ["b64"]},
    {"alg": "HS256", "crit": ["x"]},
]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_chooses_nothing(header: dict[str, Any]) -> None:
    # The signature is that of HS256, whatever the header says.
    payload = msgspec.json.encode(CLAIMS)
    signing = ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (json.dumps(header).encode(), payload)
    )
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(signing.encode(), algorithm.prepare_key(SECRET))
    encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()

    assert SIGNER.read(f"{PREFIX}{signing}.{encoded}", NOW) is None


OTHERS: list[Any] = [True, {}, [1], 1.5]
CHANGES: list[dict[str, Any]] = [
    *({name: None} for name in FIELDS if name != "operator_id"),
    *({name: value} for name in FIELDS for value in OTHERS),
    *({"person_id": 1}, {"roles": "operator"}, {"key_id": 12}, {"operator_id": 7}),
    *({"exp": value} for value in ("9", "2030-01-01T00:00:00Z", math.nan, math.inf)),
    *({"exp": value} for value in (253_402_300_800, 10**30, 0, -1, -(10**30))),
]


@pytest.mark.parametrize("change", CHANGES)
def test_claims_of_another_type_are_refused(change: dict[str, Any]) -> None:
    assert SIGNER.read(made(FIELDS | change), NOW) is None


@pytest.mark.parametrize("name", FIELDS)
def test_every_claim_is_required(name: str) -> None:
    assert SIGNER.read(made({key: FIELDS[key] for key in FIELDS if key != name}), NOW) is None


@pytest.mark.parametrize("further", ["iat", "nbf", "aud", "sub"])
@pytest.mark.parametrize("value", [int(NOW.timestamp()) + 3600, 0, "x", math.nan])
def test_a_further_claim_is_refused(further: str, value: Any) -> None:
    # A token "issued" in the future too: no token says when it was issued.
    assert SIGNER.read(made(FIELDS | {further: value}), NOW) is None


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'"x"', b"\xff", b"{", b"NaN", b"[" * 700]
)
def test_signed_content_that_is_no_claims(payload: bytes) -> None:
    assert SIGNER.read(made(payload), NOW) is None


def test_a_token_of_the_form_before_is_refused() -> None:
    # `ot_<payload>.<signature>`, as it was until tokens became JSON Web Tokens.
    payload = base64.urlsafe_b64encode(json.dumps(FIELDS).encode()).rstrip(b"=").decode()

    assert SIGNER.read(f"{PREFIX}{payload}.{'A' * 43}", NOW) is None


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_huge_token_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    def decoded(*_: Any) -> None:
        pytest.fail("decoded")

    monkeypatch.setattr(jwt.PyJWS, "decode", decoded)
    parts = SIGNER.sign(CLAIMS).split(".")
    parts[part] += "A" * 5_000_000
    assert SIGNER.read(".".join(parts), NOW) is None
    assert SIGNER.read(made(FIELDS | {"person_id": "x" * 2000}), NOW) is None


@pytest.mark.parametrize("tail", ["=", "\n", ".", " ", "A", "\u0661"])
def test_nothing_may_follow(tail: str) -> None:
    assert SIGNER.read(SIGNER.sign(CLAIMS) + tail, NOW) is None
