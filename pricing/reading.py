"""From a document's text to plain values, as strict as its canonical text and hash need.

What JSON's grammar lets through and a tariff cannot mean or keep is told with its path: a field
said twice in one object, NaN and infinities, halves of surrogate pairs, bottomless nesting.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pricing.errors import Fault, TariffFaultsError
from pricing.hashing import path_text

# Far beyond any tariff's own depth (6), far below where recursion ends.
MAX_DEPTH: Final = 32

Location = tuple[int | str, ...]


class _Repeating(dict[str, Any]):
    """An object whose text says a field more than once; the last said is kept."""

    twice: tuple[str, ...] = ()


def parsed(text: str | bytes) -> Any:
    """The values of a JSON text; UTF-8 where it is bytes.

    Raises:
        TariffFaultsError: it is not JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        # ValueError: not JSON, not UTF-8, or a number of thousands of digits.
        raise TariffFaultsError((Fault("", "json", f"is not JSON: {error}"),)) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    names = [name for name, _ in pairs]
    repeating = _Repeating(made)
    repeating.twice = tuple(sorted({name for name in names if names.count(name) > 1}))
    return repeating


def cleaned(document: Any) -> tuple[Any, list[Fault]]:
    """The document without what it cannot keep, so that the rest can be read, and the faults."""
    found: list[tuple[Location, str, str]] = []
    kept = _kept(document, (), found)
    return kept, [Fault(path_text(location), code, message) for location, code, message in found]


def _kept(value: Any, at: Location, found: list[tuple[Location, str, str]]) -> Any:
    if isinstance(value, Mapping | list | tuple) and len(at) > MAX_DEPTH:
        found.append((at, "too_deep", f"is nested more than {MAX_DEPTH} deep"))
        return None
    if isinstance(value, Mapping):
        found.extend(_repetitions(value, at))
        return {
            _text(name, at, found): _kept(member, (*at, _shown(name)), found)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [_kept(member, (*at, place), found) for place, member in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        found.append((at, "not_finite", "is not a finite number"))
        return None
    return _text(value, at, found)


def _repetitions(value: Mapping[Any, Any], at: Location) -> Iterator[tuple[Location, str, str]]:
    for name in value.twice if isinstance(value, _Repeating) else ():
        yield (*at, _shown(name)), "duplicate_key", "is said more than once in one object"


def _text(value: Any, at: Location, found: list[tuple[Location, str, str]]) -> Any:
    if not isinstance(value, str) or (shown := _shown(value)) == value:
        return value
    found.append((at, "not_unicode", "holds half of a surrogate pair"))
    return shown


def _shown(value: Any) -> str:
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
