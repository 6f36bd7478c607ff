"""From a document's text to plain values, as strict as its canonical text and hash need.

What JSON's grammar lets through and a tariff cannot mean or keep is a fault with its path: a field
given twice in one object, NaN and infinities, halves of surrogate pairs, bottomless nesting. Time
and memory are proportional to the text's length, whatever it holds.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pricing.errors import Fault, Found, Location, TariffFaultsError

# Far beyond any tariff's own depth (6), far below where recursion ends.
MAX_DEPTH: Final = 32
# Fields of one object: no document has a tenth of them.
MAX_FIELDS: Final = 500
# As many as somebody may want to read at once.
MAX_FAULTS: Final = 100
_PLAIN: Final = frozenset({int, bool, type(None)})
_NUMBERS: Final = frozenset({int, float})


class _Repeating(dict[str, Any]):
    """An object whose text has a field more than once; the last value wins."""

    twice: tuple[str, ...] = ()


def parsed(text: str | bytes) -> Any:
    """The values of a JSON text; UTF-8 where it is bytes.

    Raises:
        TariffFaultsError: it is not JSON.
    """
    try:
        # By itself, json would take UTF-16 and UTF-32 too; it refuses a byte order mark in a text.
        return json.loads(
            text if isinstance(text, str) else text.decode("utf-8"), object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        raise TariffFaultsError((Fault("", "json", f"is not JSON: {_why(error)}"),)) from error


def _why(error: ValueError | RecursionError) -> str:
    """Say what is wrong in words of our own, not the interpreter's."""
    if isinstance(error, RecursionError):
        return f"it is nested more than {MAX_DEPTH} deep"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        if error.msg.startswith("Unexpected UTF-8 BOM"):
            return "it begins with a byte order mark"
        return f"{error.msg} in line {error.lineno}, column {error.colno}"
    return "a number has too many digits"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeating = _Repeating(made)
    count = Counter(name for name, _ in pairs)
    repeating.twice = tuple(sorted(name for name in made if count[name] > 1))
    return repeating


def cleaned(document: Any, max_items: int | None = None) -> tuple[Any, list[Fault]]:
    """The document without what it cannot keep, so that the rest can be read, and the faults.

    Of many faults the first `MAX_FAULTS` are returned. A list has at most `max_items`.
    """
    if max_items is not None and (path := _too_long(document, (), max_items)) is not None:
        return None, [Found(path, "too_many_items", f"has more than {max_items} items").fault]
    found: list[Found] = []
    kept = _kept(document, (), found)
    return kept, [each.fault for each in found[:MAX_FAULTS]]


def _too_long(value: Any, at: Location, most: int) -> Location | None:
    """Where a list has more items than `most`, looked for as deep as anything may be nested."""
    if len(at) > MAX_DEPTH:
        return None
    if isinstance(value, list):
        if len(value) > most:
            return at
        members: Iterable[tuple[int | str, Any]] = enumerate(value)
    elif isinstance(value, dict):
        members = value.items()
    else:
        return None
    for name, member in members:
        if isinstance(member, list | dict) and member:
            found = _too_long(member, (*at, name), most)
            if found is not None:
                return found
    return None


def _kept(value: Any, at: Location, found: list[Found]) -> Any:
    if isinstance(value, Mapping | list | tuple):
        return _kept_members(value, at, found)
    if isinstance(value, float) and not math.isfinite(value):
        found.append(Found(at, "not_finite", "is not a finite number"))
        return None
    return _text(value, at, found)


def _kept_members(value: Any, at: Location, found: list[Found]) -> Any:
    if len(found) > MAX_FAULTS:
        return None
    if len(at) > MAX_DEPTH:
        found.append(Found(at, "too_deep", f"is nested more than {MAX_DEPTH} deep"))
        return None
    if isinstance(value, Mapping):
        return _kept_fields(value, at, found)
    if _is_plain(value):
        return list(value)
    return [_kept(member, (*at, place), found) for place, member in enumerate(value)]


def _kept_fields(value: Mapping[Any, Any], at: Location, found: list[Found]) -> Any:
    if len(value) > MAX_FIELDS:
        found.append(Found(at, "too_many_fields", f"has more than {MAX_FIELDS} fields"))
        return None
    found += [
        Found((*at, _shown(name)), "duplicate_key", "is said more than once in one object")
        for name in (value.twice[:MAX_FAULTS] if isinstance(value, _Repeating) else ())
    ]
    return {
        _text(name, at, found): _kept(member, (*at, _shown(name)), found)
        for name, member in value.items()
    }


def _is_plain(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether these are numbers and the like that need no look one by one: most long lists."""
    kinds = set(map(type, values))
    try:
        return kinds <= _PLAIN or (kinds <= _NUMBERS and all(map(math.isfinite, values)))
    except OverflowError:
        # An integer beyond any float is finite, but others are to be looked at.
        return False


def _text(value: Any, at: Location, found: list[Found]) -> Any:
    if not isinstance(value, str) or (shown := _shown(value)) == value:
        return value
    found.append(Found(at, "not_unicode", "holds half of a surrogate pair"))
    return shown


def _shown(value: Any) -> str:
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
