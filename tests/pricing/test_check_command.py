"""`python -m pricing check FILE`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.pricing.builders import document, unit_period

GOLDEN = Path(__file__).parent / "data" / "golden.json"


def run(path: Path) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "pricing", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def written(path: Path, *cases: dict[str, Any], **more: Any) -> Path:
    tariffs = [document(unit_period(price=300, unit_s=1800), version_policy="at_unit_start")]
    tariffs.append(document(unit_period(price=400, unit_s=1800), id="may"))
    file = path / "cases.json"
    file.write_text(json.dumps({"tariffs": tariffs, "cases": cases} | more), encoding="utf-8")
    return file


CASE = {
    "tariff": "test",
    "entry": "2026-04-30T23:30:00",
    "exit": "2026-05-01T00:30:00",
    "fee_minor": 600,
}


def test_the_golden_file_passes() -> None:
    status, lines = run(GOLDEN)
    assert status == 0
    assert len(lines) == 49
    assert all(line.startswith("ok") for line in lines[:48])


def test_a_case_that_differs_is_shown_and_ends_non_zero(tmp_path: Path) -> None:
    status, lines = run(written(tmp_path, CASE, CASE | {"fee_minor": 601}))
    assert status == 1
    assert lines[0].startswith("ok")
    assert lines[1].startswith("DIFFERS")
    assert lines[1].endswith("600, expected 601")


def test_a_broken_tariff_or_case_does_not_stop_the_others(tmp_path: Path) -> None:
    late = CASE | {"entry": "2026-05-02T00:00:00"}
    unknown = CASE | {"tariff": "none"}
    status, lines = run(written(tmp_path, late, unknown, CASE))
    assert status == 1
    assert [line.split()[0] for line in lines[:3]] == ["ERROR", "ERROR", "ok"]
    status, lines = run(written(tmp_path, CASE, tariffs=[{"id": "test"}]))
    assert status == 1
    assert any(line.startswith("FAULT") and "boundary" in line for line in lines)


def test_a_case_may_bring_versions_and_a_calendar(tmp_path: Path) -> None:
    versions = [{"tariff": "may", "effective_at": "2026-05-01T00:00:00"}]
    case = CASE | {"versions": versions, "fee_minor": 700}
    status, _ = run(written(tmp_path, case, calendar={"holidays": ["2026-05-01"]}))
    assert status == 0


def test_a_file_that_is_none_ends_with_two(tmp_path: Path) -> None:
    assert run(tmp_path / "missing.json")[0] == 2
    broken = tmp_path / "broken.json"
    broken.write_text("[]", encoding="utf-8")
    assert run(broken)[0] == 2
    for content in ('{"tariffs": null, "cases": []}', '{"tariffs": [], "cases": 5}', "[" * 100_000):
        broken.write_text(content, encoding="utf-8")
        assert run(broken)[0] == 2


def test_two_tariffs_of_one_id_are_a_fault(tmp_path: Path) -> None:
    twice = [document(unit_period(price=price)) for price in (300, 300, 400)]
    status, lines = run(written(tmp_path, CASE | {"fee_minor": 300}, tariffs=twice))
    assert status == 1
    assert [line.split()[0] for line in lines] == ["FAULT", "ok", "1"]


def test_cases_of_another_shape_are_errors_of_a_line_each(tmp_path: Path) -> None:
    odd = [None, CASE | {"fee_minor": "600"}, CASE | {"granted": 5}, CASE | {"why": "\ud800\n"}]
    status, lines = run(written(tmp_path, *odd))  # type: ignore[arg-type]
    assert status == 1
    assert [line.split()[0] for line in lines] == ["ERROR", "ERROR", "ERROR", "ok", "1"]
