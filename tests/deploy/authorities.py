"""Certificates as an authority of a test's own signs them, by the system's openssl."""

import subprocess
from pathlib import Path


def signed(authority: Path, name: str) -> tuple[Path, Path]:
    """Return the files of a new certificate for a common name, and of its key.

    `authority` is a directory; the authority in it, `ca.pem`, is made where it is missing.
    """
    new = ("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    ca, ca_key = authority / "ca.pem", authority / "ca.key"
    if not ca.exists():
        authority.mkdir(parents=True, exist_ok=True)
        _run(*new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", ca_key, "-out", ca)
    request, key = authority / f"{name}.csr", authority / f"{name}.key"
    certificate = authority / f"{name}.pem"
    _run(*new, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    signer = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2")
    _run("openssl", "x509", "-req", "-in", request, *signer, "-out", certificate)
    return certificate, key


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
