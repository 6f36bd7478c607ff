"""The broker's certificates: who may read the keys, and when they are made anew."""

import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from deploy.accounts import Account, server_account
from deploy.certificates import CertificateError, provide
from tests.deploy.authorities import signed

NAMES = ("localhost", "127.0.0.1")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def provided(path: Path, given: Path | None = None, now: datetime = NOW) -> bytes:
    """Provide certificates below `path`; return the broker's."""
    provide(path / "broker", Account(), path / "tls", given, NAMES, now=now)
    return (path / "broker/server.pem").read_bytes()


def end(certificate: bytes) -> datetime:
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def test_keys_are_read_by_their_users_alone(tmp_path: Path) -> None:
    account = server_account("mosquitto")
    provide(tmp_path / "broker", account, tmp_path / "tls", None, NAMES, now=NOW)
    for key, owner in (
        (tmp_path / "tls/ca.key", -1),
        (tmp_path / "broker/server.key", account.uid),
    ):
        assert key.stat().st_mode & 0o777 == 0o600
        if owner >= 0:
            assert key.stat().st_uid == owner
    assert not list((tmp_path / "broker").glob("ca*"))


def test_a_certificate_stays_until_it_nears_its_end(tmp_path: Path) -> None:
    first = provided(tmp_path)
    authority = (tmp_path / "tls/ca.pem").read_bytes()
    assert provided(tmp_path) == first
    assert provided(tmp_path, now=end(first) - timedelta(days=30)) == first
    second = provided(tmp_path, now=end(first) - timedelta(days=29))
    assert end(second) > end(first)
    assert (tmp_path / "tls/ca.pem").read_bytes() == authority
    provided(tmp_path, now=end(authority) - timedelta(days=364))
    assert end((tmp_path / "tls/ca.pem").read_bytes()) > end(authority)


@pytest.mark.parametrize("lost", ["tls/ca.key", "broker/server.key", "broker/server.pem"])
def test_what_is_lost_or_garbled_is_made_again(tmp_path: Path, lost: str) -> None:
    for change in (Path.unlink, lambda path: path.write_text("no key")):
        first = provided(tmp_path)
        change(tmp_path / lost)
        assert provided(tmp_path) != first


def test_certificates_that_are_given_are_used_and_renewed_by_being_given(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for _ in range(2):
        certificate, key = signed(tmp_path / "authority", "broker.example.org")
        shutil.copy(certificate, given / "broker.pem")
        shutil.copy(key, given / "broker.key")
        assert provided(tmp_path, given) == certificate.read_bytes()
        assert (tmp_path / "broker/server.key").read_bytes() == key.read_bytes()
    assert not (tmp_path / "tls").exists()
    _, other = signed(tmp_path / "authority", "other")
    shutil.copy(other, given / "broker.key")
    with pytest.raises(CertificateError, match=r"not the key of"):
        provided(tmp_path, given)
    (given / "broker.key").unlink()
    with pytest.raises(CertificateError):
        provided(tmp_path, given)


def test_the_certificate_holds_by_strict_rules(tmp_path: Path) -> None:
    provided(tmp_path, now=datetime.now(UTC))
    client = ssl.create_default_context(cafile=tmp_path / "tls/ca.pem")
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "broker/server.pem", tmp_path / "broker/server.key")
    for name, is_good in (*[(name, True) for name in NAMES], ("elsewhere", False)):
        assert shaken(client, server, name) == is_good


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> bool:
    """Whether a client takes the server for `name`."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for one in list(ends):
            try:
                one.do_handshake()
                ends.remove(one)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True
