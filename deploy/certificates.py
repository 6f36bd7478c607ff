"""The certificates of the broker's TLS listeners: given ones, or those of an authority of our own.

Our own authority is for trying things out: it is made once, its key stays with whoever runs the
set-up, and clients are given its certificate. The broker's certificate is signed anew well before
it ends, at each set-up and start of the broker.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.accounts import Account

# What a directory of given certificates holds; `CLIENTS` is who may sign those of gateways.
GIVEN_CERTIFICATE: Final = "broker.pem"
GIVEN_KEY: Final = "broker.key"
CLIENTS: Final = "clients.pem"
# What the broker reads, in its own directory.
CERTIFICATE: Final = "server.pem"
KEY: Final = "server.key"
# What clients hold our own certificate against, and the key that signs it.
AUTHORITY: Final = "ca.pem"
_AUTHORITY_KEY: Final = "ca.key"
_AUTHORITY_LIFE: Final = timedelta(days=3650)
_AUTHORITY_RENEWED: Final = timedelta(days=365)
_LIFE: Final = timedelta(days=90)
_RENEWED: Final = timedelta(days=30)
_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


class CertificateError(Exception):
    """Given certificates cannot be used; the message says which, and why."""


@dataclass(frozen=True)
class Authority:
    """Who signs the broker's certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def provide(
    directory: Path,
    account: Account,
    authority: Path,
    given: Path | None,
    names: Sequence[str],
    *,
    now: datetime | None = None,
) -> None:
    """Put certificate and key where the broker reads them, and renew what nears its end.

    Args:
        directory: Gets `server.pem` and `server.key`, and `clients.pem` where it is given.
        account: The broker's; it alone can read the key.
        authority: The directory of our own authority, which is the caller's; not used where
            certificates are given.
        given: Holds `broker.pem` and `broker.key` (or neither), and perhaps `clients.pem`.
        names: Host names and addresses that our own certificate is good for.
        now: Aware; None for the system's clock.

    Raises:
        CertificateError: What is given cannot be used; nothing was changed.
        OSError: A file cannot be read or written.
    """
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    account.own(directory)
    if given is not None and (given / GIVEN_CERTIFICATE).exists():
        certificate, key = _read_given(given)
    else:
        moment = now or datetime.now(UTC)
        signer = _authority(authority, moment)
        certificate, key = _own(directory, signer, names, moment)
    _write(directory / KEY, key, _PRIVATE, account)
    _write(directory / CERTIFICATE, certificate, _PUBLIC, account)
    clients = given / CLIENTS if given is not None else None
    if clients is not None and clients.exists():
        _write(directory / CLIENTS, clients.read_bytes(), _PUBLIC, account)
    else:
        (directory / CLIENTS).unlink(missing_ok=True)


def _read_given(given: Path) -> tuple[bytes, bytes]:
    try:
        certificate = (given / GIVEN_CERTIFICATE).read_bytes()
        key = (given / GIVEN_KEY).read_bytes()
        first = x509.load_pem_x509_certificates(certificate)[0].public_key()
        fits = _public(load_pem_private_key(key, None).public_key()) == _public(first)
    except (OSError, ValueError, TypeError) as error:
        raise CertificateError(f"{given}: {error}") from error
    if not fits:
        raise CertificateError(f"{given}: {GIVEN_KEY} is not the key of {GIVEN_CERTIFICATE}")
    return certificate, key


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _authority(directory: Path, now: datetime) -> Authority:
    """Return our own authority, made where it is missing or nears its end."""
    kept = _kept_authority(directory, now)
    if kept is not None:
        return kept
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    # With the time: a client that has both an old and a new one can tell them apart.
    name = _name(f"OneLot demo authority {now:%Y-%m-%d %H:%M:%S}")
    usage = _usage(digital_signature=False, key_cert_sign=True)
    made = (
        _builder(name, name, key.public_key(), now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    _write(directory / _AUTHORITY_KEY, _pem(key), _PRIVATE, Account())
    _write(directory / AUTHORITY, made.public_bytes(Encoding.PEM), _PUBLIC, Account())
    return Authority(made, key)


def _kept_authority(directory: Path, now: datetime) -> Authority | None:
    try:
        certificate = x509.load_pem_x509_certificate((directory / AUTHORITY).read_bytes())
        key = load_pem_private_key((directory / _AUTHORITY_KEY).read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    fits = _public(key.public_key()) == _public(certificate.public_key())
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not fits:
        return None
    if certificate.not_valid_after_utc - now < _AUTHORITY_RENEWED:
        return None
    return Authority(certificate, key)


def _own(
    directory: Path, signer: Authority, names: Sequence[str], now: datetime
) -> tuple[bytes, bytes]:
    """Return certificate and key, those that are there if they are good for long enough."""
    wanted = x509.SubjectAlternativeName([_alternative(name) for name in names])
    try:
        there = (directory / CERTIFICATE).read_bytes(), (directory / KEY).read_bytes()
        certificate = x509.load_pem_x509_certificate(there[0])
        key = load_pem_private_key(there[1], None)
        certificate.verify_directly_issued_by(signer.certificate)
        good_for = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        fits = _public(key.public_key()) == _public(certificate.public_key())
        lasts = certificate.not_valid_after_utc - now >= _RENEWED
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        pass
    else:
        if fits and lasts and good_for.value == wanted:
            return there
    return _signed(signer, names, wanted, now)


def _signed(
    signer: Authority, names: Sequence[str], wanted: x509.SubjectAlternativeName, now: datetime
) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = signer.certificate
    made = (
        _builder(_name(names[0]), issuer.subject, key.public_key(), now, _LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_cert_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(wanted, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
        .sign(signer.key, SHA256())
    )
    return made.public_bytes(Encoding.PEM), _pem(key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        # Clients' clocks may be behind.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, digital_signature: bool, key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int, account: Account) -> None:
    """Write a file in one step, never readable by more than `mode` says; unless it is right."""
    if not path.exists() or path.read_bytes() != content:
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        account.own(fresh)
        fresh.chmod(mode)
        fresh.replace(path)
    path.chmod(mode)
    account.own(path)
