"""What reaches a log of an exception: never its text, which may quote a message or a row."""

import subprocess
import sys

import pytest

from sql.logs import describe

PLATE = "QZX7391"

_FEED = f"""
from datetime import UTC, datetime
from ingest_mqtt import decide
from ingest_mqtt.effects import Received
from ingest_mqtt.lots import Lot, Registry

def parse(kind, payload):
    raise ValueError(payload)

decide.parse_report = parse
registry = Registry({{"bays": Lot("bays", "op-a", "bays", 12, 900)}}, {{"gw-a": "op-a"}})
for lot in ("{PLATE}", "bays"):
    topic = f"onelot/v1/feeds/gw-a/{{lot}}/spaces"
    outcome = decide.decide(
        [Received(topic, b'{{"name": "{PLATE}"}}', datetime.now(UTC))], registry, {{}}
    )
    assert outcome.acks[0].reason == "internal"
"""
_LIBRARY = f"""
import logging
try:
    int("{PLATE}")
except ValueError:
    logging.getLogger("asyncio").exception("a task failed")
"""
_STATUS = """
from datetime import UTC, datetime
from http import HTTPStatus
import structlog
structlog.get_logger().info("request", status=HTTPStatus.UNPROCESSABLE_ENTITY, route="/v1/lots")
since = datetime(2026, 1, 2, tzinfo=UTC)
structlog.get_logger().info("lots read", lots=["a", "b"], whole=True, since=since)
"""


def logged(program: str) -> str:
    """All that a process writes which logs as ours do."""
    configured = f"from sql import logs\nlogs.configure()\n{program}"
    ended = subprocess.run(
        [sys.executable, "-c", configured], capture_output=True, text=True, check=True
    )
    return ended.stdout + ended.stderr


def test_a_message_that_cannot_be_handled_is_not_quoted() -> None:
    said = logged(_FEED)
    assert said.count("a message could not be handled") == said.count("builtins.ValueError") == 2
    # A registered name is shown; of another, only its form.
    assert "onelot/v1/feeds/gw-a/bays/spaces" in said
    assert "onelot/v1/feeds/gw-a/aaa9999/spaces" in said
    assert "decide.py" in said
    assert PLATE not in said


def test_values_are_plain() -> None:
    first, second = logged(_STATUS).splitlines()
    assert first.endswith(" level=info event=request status=422 route=/v1/lots")
    assert second.endswith(
        ' level=info event="lots read" lots=a,b whole=true since=2026-01-02T00:00:00+00:00'
    )


def test_what_a_library_logs_quotes_neither() -> None:
    said = logged(_LIBRARY)
    assert "asyncio a task failed" in said
    assert "builtins.ValueError" in said
    assert PLATE not in said


def _chain() -> BaseException:
    """A group that was raised while a fault with a cause was handled."""
    handled = KeyError(PLATE)
    handled.__cause__ = OSError(PLATE)
    group = ExceptionGroup(PLATE, [ZeroDivisionError(PLATE)])
    group.__context__ = handled
    return group


def test_causes_contexts_and_groups_are_told() -> None:
    said = describe(_chain())
    names = [line.rpartition(".")[2] for line in said.splitlines() if not line.startswith(" ")]
    assert names == ["ExceptionGroup", "ZeroDivisionError", "KeyError", "OSError"]
    assert PLATE not in said


def test_a_deep_recursion_and_a_circle_are_told_briefly() -> None:
    def deep() -> None:
        deep()

    with pytest.raises(RecursionError) as caught:
        deep()
    caught.value.__cause__ = ValueError()
    caught.value.__cause__.__cause__ = caught.value
    said = describe(caught.value).splitlines()
    assert said[0] == "builtins.RecursionError"
    assert len(said) <= 22
