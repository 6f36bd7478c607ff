"""What a log may say: of an exception its type and where it was raised, never its text.

Texts quote: a database's the row that it refuses, a decoder's the message that it could not read.
Neither may stand in a log, which more people see than the table of refused messages.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Final

import structlog

# Of each exception, the last ones; a recursion that went too deep has a thousand.
_MOST_FRAMES: Final = 20
_MOST_EXCEPTIONS: Final = 20


def describe(error: BaseException) -> str:
    """Tell an exception and those that led to it by types and places, the first cause last."""
    lines: list[str] = []
    for found in _every(error):
        lines.append(f"{type(found).__module__}.{type(found).__qualname__}")
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(found.__traceback__, limit=-_MOST_FRAMES)
        ]
    return "\n".join(lines)


def _every(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, those of its group, and those that it was raised from or within."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_EXCEPTIONS:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions
        led = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
        if led is not None:
            waiting.append(led)


class _Formatter(logging.Formatter):
    """Lines of libraries, such as asyncio's of a task that failed."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Tell an exception without its text."""
        error = ei[1] if isinstance(ei, tuple) else None
        return describe(error) if isinstance(error, BaseException) else ""


def configure() -> None:
    """Have everything of this process logged to its standard streams, a line each."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(lambda info: describe(info[1])),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
