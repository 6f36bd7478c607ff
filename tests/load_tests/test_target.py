import json
from pathlib import Path
from typing import Any

import pytest

from load_tests.catalogue import Lot
from load_tests.plan import Mix, Plan, operators_gateways, written
from load_tests.target import Target, TargetError
from simulators.registry import Broker

RUN: dict[str, Any] = {
    "http": "http://127.0.0.1:8000",
    "mqtt": {"host": "127.0.0.1", "port": 1883},
    "database_url": "postgresql://u:p@127.0.0.1/d",
    "processes": {"api": 1},
    "ingest_metrics": "http://127.0.0.1:9100/metrics",
}
GATEWAYS = [
    {"username": "gw-a1", "password": "p", "lots": ["a-1"], "simulated": True},
    {"username": "gw-a2", "password": "p", "lots": ["a-2"], "simulated": True},
    {"username": "gw-try", "password": "p", "lots": ["t-1"], "simulated": False},
]


def read(tmp_path: Path, **changes: object) -> Target:
    run_file, credentials = tmp_path / "run.json", tmp_path / "credentials.json"
    run_file.write_text(json.dumps({**RUN, **changes}))
    credentials.write_text(json.dumps({"gateways": GATEWAYS}))
    return Target.read(run_file, credentials)


def test_a_local_run_is_found(tmp_path: Path) -> None:
    target = read(tmp_path)
    assert (target.http, target.mqtt.port) == ("http://127.0.0.1:8000", 1883)
    assert [gateway.username for gateway in target.gateways] == ["gw-a1", "gw-a2", "gw-try"]


@pytest.mark.parametrize(
    "changes",
    [
        {"http": "http://192.0.2.7:8000"},
        {"http": "http://[2001:db8::1]:8000"},
        {"mqtt": {"host": "192.0.2.7", "port": 1883}},
        {"http": "/no/host"},
        {"mqtt": {"host": "127.0.0.1"}},
    ],
)
def test_load_goes_nowhere_but_to_loopback(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(TargetError):
        read(tmp_path, **changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "[::1]"])
def test_loopback_has_several_names(tmp_path: Path, host: str) -> None:
    assert read(tmp_path, http=f"http://{host}:8000").http == f"http://{host}:8000"


def test_without_a_running_city_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="make demo"):
        Target.read(tmp_path / "run.json", tmp_path / "credentials.json")


def lot(lot_id: str, operator: str) -> Lot:
    return Lot(lot_id, operator, "bays", 10, "mall", 120.3, 36.1)


LOTS = (lot("a-1", "op-a"), lot("a-2", "op-a"), lot("a-3", "op-a"), lot("t-1", "op-try"))


def test_one_gateway_reports_for_all_lots_of_its_operator(tmp_path: Path) -> None:
    target = read(tmp_path)
    simulated = operators_gateways(target, LOTS, simulated=True)
    assert [(one.username, one.lots) for one in simulated] == [("gw-a1", ("a-1", "a-2", "a-3"))]
    free = operators_gateways(target, LOTS, simulated=False)
    assert [(one.username, one.lots) for one in free] == [("gw-try", ("t-1",))]


def test_a_plan_comes_back_from_its_file_that_nobody_else_reads(tmp_path: Path) -> None:
    mix = Mix(100.0, 0.3, 500.0, 4, 3.0)
    gateways = tuple(operators_gateways(read(tmp_path), LOTS, simulated=True))
    plan = Plan("http://127.0.0.1:1", Broker("127.0.0.1", 1), mix, 1.0, 2.0, LOTS, gateways, 7)
    with written(plan, tmp_path / "plan.json") as path:
        assert path.stat().st_mode & 0o077 == 0
        assert Plan.read(path) == plan
    assert not path.exists()
    assert [one.lot_id for one in plan.lots_of(gateways[0])] == ["a-1", "a-2", "a-3"]
