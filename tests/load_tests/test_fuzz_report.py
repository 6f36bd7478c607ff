"""What a run of the fuzzer comes to: each thing that it must find makes it fail."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from load_tests.fuzz import _stretches
from load_tests.fuzz_report import Ingester, Report, Stretch, summary, write
from load_tests.kinds import ACK
from load_tests.samples import Recorder

COUNTERS = {
    "ingest_received_total": 12.0,
    "ingest_waiting": 1.0,
    "ingest_messages_total applied": 3.0,
    "ingest_messages_total rejected": 8.0,
    "ingest_dead_letters_total first": 6.0,
    "ingest_dead_letters_total repeat": 1.0,
    "ingest_dead_letters_total over_quota": 1.0,
}
ALIVE = Ingester(is_alive=True, memory_mb=90.0, counters=COUNTERS)


def report(beside_ms: float = 15.0, **fields: Any) -> Report:
    """Ten good messages alone, of 10 ms, and ten beside 500 broken ones."""
    recorder = Recorder()
    for second in range(10):
        recorder.add(f"{ACK} spaces", 100.0 + second, 10.0)
        recorder.add(f"{ACK} spaces", 110.0 + second, beside_ms)
    stretches = [Stretch(100.0, 110.0, 0, 0.1, 0.2), Stretch(110.0, 120.0, 500, 0.4, 0.3)]
    ended = {"sent": 500, "problems": {}, "results": {"malformed": 500}, "mutations": {"cut": 500}}
    given: dict[str, Any] = {"ended": ended, "ingester": ALIVE, **fields}
    return Report({}, stretches, good=recorder.samples(), **given)


def test_a_run_in_which_nothing_was_found(tmp_path: Path) -> None:
    made = report()
    assert (made.is_good, made.faults, made.ratio) == (True, [], 1.5)
    assert made.latencies_ms(beside=False) == (10, (10.0, 10.0, 10.0))
    text = write(made, tmp_path / "report")
    assert "| beside broken ones | 10 | 15.0 | 15.0 | 15.0 | 0.40 | 0.30 |" in text
    assert text.startswith("# Fuzz: 500 messages, nothing found")
    assert (tmp_path / "report" / "summary.md").read_text() == text
    facts = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert (facts["sent"], facts["ratio_p99"], facts["faults"]) == (500, 1.5, [])


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"ended": {"sent": 9, "problems": {"1 acks did not come": "a/topic"}}},
         "1 acks did not come: a/topic"),
        ({"good_problems": {"no ack came": 2}}, "good traffic: no ack came (2 times)"),
        ({"cut": True}, "cut off by its time after 500 messages"),
        ({"ingester": replace(ALIVE, is_alive=False)},
         "the ingester is not the process that it was"),
        ({"ingester": replace(ALIVE, counters=COUNTERS | {"ingest_received_total": 13.0})},
         "the ingester's counters do not add up"),
        ({"ingester": replace(ALIVE, counters=COUNTERS | {"ingest_dead_letters_total first": 5.0})},
         "the ingester's counters do not add up"),
        ({"beside_ms": 20.5},
         "good traffic is 2.05 times as slow, 2 allowed (others used 0.3 of 2 processors)"),
    ],
)  # fmt: skip
def test_each_fault_makes_it_fail(
    changed: dict[str, Any], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    made = report(**changed)
    assert (made.is_good, made.faults) == (False, [fault])
    assert f"- WRONG: {fault}" in summary(made)


@pytest.mark.parametrize("number", [1, 19, 20, 21, 1_000_000])
def test_stretches_hold_all_messages(number: int) -> None:
    sizes = _stretches(number)
    assert sum(sizes) == number
    assert max(sizes) - min(sizes) <= 1
