"""Finds what is wrong with a refused text: its encoding, its JSON syntax, or only its content.

The decoder of reports checks types before it has seen the end of a text, so that one text can be
wrong in type first and in syntax later. Here a refused text is read to its end, for the
verdict and for the numbers in the ack. No message of an error quotes the text.
"""

import json
from collections import Counter
from collections.abc import Collection
from typing import Any, NoReturn

# More digits than any number of the feeds has; Python refuses to read thousands of them.
_MOST_DIGITS = 30


class NotJsonError(Exception):
    """The text is not one JSON value in UTF-8; the message says where, and quotes nothing."""


class Members(dict[str, Any]):
    """A JSON object, with the names that it gives more than once.

    Attributes:
        doubled: Those names.
    """

    # Of the class, and there is no `__init__`: one message may hold twenty thousand objects.
    doubled: Collection[str] = frozenset()


def _members(pairs: list[tuple[str, Any]]) -> Members:
    made = Members(pairs)
    if len(made) < len(pairs):
        made.doubled = {name for name, n in Counter(name for name, _ in pairs).items() if n > 1}
    return made


def read(payload: bytes) -> Any:  # noqa: ANN401 - JSON of any kind
    """Read one JSON value strictly; integers of absurd length become floats.

    Args:
        payload: The text.

    Returns:
        The value; objects as `Members`.

    Raises:
        NotJsonError: The text is not UTF-8, not JSON (NaN and Infinity are not), or nested deeper
            than any message of docs/contract/feeds.md.
    """
    try:
        return json.loads(
            payload.decode(),
            object_pairs_hook=_members,
            parse_constant=_refuse_constant,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise NotJsonError(f"not UTF-8 from byte {error.start} on") from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON from character {error.pos} on") from None
    except RecursionError:
        raise NotJsonError("nested too deeply") from None


def _refuse_constant(_: str) -> NoReturn:
    raise NotJsonError("not JSON: a number is not finite")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)
