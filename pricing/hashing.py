"""The identity of a document: its canonical text and its hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pricing.document import Tariff


def canonical_json(document: Mapping[str, Any] | Tariff) -> bytes:
    """The document's canonical bytes: UTF-8, keys sorted, no spaces, no NaN."""
    plain = document if isinstance(document, Mapping) else document.document()
    return json.dumps(
        plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def content_hash(document: Mapping[str, Any] | Tariff) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(document)).hexdigest()
