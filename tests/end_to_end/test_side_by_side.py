"""Four demos started at the same moment: each comes up, on ports of its own."""

import json
from contextlib import ExitStack
from pathlib import Path

from tests.end_to_end.test_demo import Demo, begun, get, wait_for

LOTS = 5
TOGETHER_WITHIN_S = 240.0


def ports(demo: Demo) -> list[str]:
    content = demo.run_file()
    database = str(content["database_url"]).rpartition("@")[2]
    return [content["http"], content["ingest_metrics"], json.dumps(content["mqtt"]), database]


def test_four_demos_started_side_by_side_all_come_up(tmp_path: Path) -> None:
    with ExitStack() as stack:
        demos = []
        for number in range(4):
            home = tmp_path / str(number)
            home.mkdir()
            demos.append(stack.enter_context(begun(home / "var", "--lots", str(LOTS))))
        for demo in demos:
            wait_for((demo.var / "run.json").exists, demo, TOGETHER_WITHIN_S)
        taken = [port for demo in demos for port in ports(demo)]
        assert len(set(taken)) == 16
        for demo in demos:
            assert get(f"{demo.run_file()['http']}/v1/city")["lots"] == LOTS
            assert "failed" not in demo.output.read_text()
