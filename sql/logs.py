"""The configuration of logs: one line for each event, without the texts of exceptions.

Of an exception a log has the type and the place where it was raised, never the text. Texts quote: a
database's text quotes the row that it refuses, a decoder's the message that it could not read.
More people see a log than the table of refused messages.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Final

import structlog
from structlog.typing import EventDict

# The last frames of each exception; a recursion that went too deep has a thousand.
_MOST_FRAMES: Final = 20
_MOST_EXCEPTIONS: Final = 20


def describe(error: BaseException) -> str:
    """Return types and places of an exception and of those that caused it, the first cause last."""
    lines: list[str] = []
    for found in _every(error):
        lines.append(f"{type(found).__module__}.{type(found).__qualname__}")
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(found.__traceback__, limit=-_MOST_FRAMES)
        ]
    return "\n".join(lines)


def _every(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, those in its group, and those that caused it."""
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
    """Formats what libraries log, such as asyncio about a task that failed."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """Return an exception without its text."""
        error = ei[1] if isinstance(ei, tuple) else None
        return describe(error) if isinstance(error, BaseException) else ""


def _plain(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Write values as people do: `status=422`, `lots=a,b`."""
    return {name: _written(each) for name, each in event.items()}


def _written(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ",".join(str(_written(each)) for each in value)
    return value


def configure() -> None:
    """Log everything of this process to its standard streams, one line for each event."""
    structlog.configure(
        # A line is one write: several processes share the output.
        logger_factory=structlog.WriteLoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _plain,
            structlog.processors.ExceptionRenderer(lambda info: describe(info[1])),
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], bool_as_flag=False
            ),
        ],
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
