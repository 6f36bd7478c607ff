"""The identity of a document: its canonical text, its hash, and paths into it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

# How validation says that a name, not what stands under it, is at fault.
KEY_ITSELF: Final = "[key]"


class Writable(Protocol):
    """Something that gives its document as JSON's types, as a `Tariff` does."""

    def document(self) -> dict[str, Any]:
        """The document in JSON's types."""


def canonical_json(document: Mapping[str, Any] | Writable) -> bytes:
    """The document's canonical bytes: UTF-8, keys sorted, no spaces, no NaN."""
    plain = document if isinstance(document, Mapping) else document.document()
    text = json.dumps(
        plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode()


def content_hash(document: Mapping[str, Any] | Writable) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(document)).hexdigest()


def path_text(location: Sequence[int | str]) -> str:
    """A location as people write it: ("periods", 2, "id") is `periods[2].id`."""
    return "".join(map(_step_text, location)).removeprefix(".")


def _step_text(step: int | str) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if step == KEY_ITSELF:
        return ""
    return f".{step}" if step.strip() else f'["{step}"]'
