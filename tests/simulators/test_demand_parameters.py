import copy
from typing import Any, get_args

import msgspec
import pytest

from simulators.demand import parameters
from sql.kinds import LandUse


def demo() -> dict[str, Any]:
    return dict(msgspec.json.decode(parameters.DEMO_FILE.read_bytes()))


def test_the_demos_file_is_written_as_it_is_read() -> None:
    assert parameters.dump(parameters.load()) == parameters.DEMO_FILE.read_bytes()


def test_the_simulators_know_the_land_uses_of_the_platform() -> None:
    assert get_args(LandUse) == parameters.LAND_USES


def test_each_figure_says_where_it_is_from() -> None:
    whole = parameters.load()
    texts = [whole.city.from_]
    for use in whole.land_uses.values():
        texts += [use.from_, use.arrivals.from_, use.stays.from_, use.peak.from_]
    assert all(text.split(":")[0] in ("fitted", "assumed") for text in texts), texts
    assert all(source.licence for source in whole.sources)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("land_uses", "mall", "arrivals", "workday"), [1.0] * 95, "arrivals.workday"),
        (("land_uses", "mall", "arrivals", "sunday"), [0.0] * 96, "without arrivals"),
        (("land_uses", "mall", "stays", "weights"), [[0.4]] * 24, "do not add up to 1"),
        (("land_uses", "mall", "stays", "weights"), [[0.5, 0.5]] * 24, "needs 1 weights"),
        (("land_uses", "mall", "stays", "components"), [], "stays.components"),
        (("land_uses", "mall", "level", "memory"), 1, "level.memory"),
        (("city", "level", "sd"), -0.1, "city.level.sd"),
        (("city", "levels"), 1, "levels"),
        (("land_uses", "port"), {}, "land_uses"),
    ],
)
def test_a_faulty_file_is_refused_by_name(
    tmp_path: Any, path: tuple[str, ...], value: Any, told: str
) -> None:
    content = demo()
    content["land_uses"]["mall"]["stays"] = {
        "components": [{"median_min": 70, "sigma": 0.8}],
        "weights": [[1]] * 24,
        "from": "assumed: for the test",
    }
    faulty = copy.deepcopy(content)
    inner = faulty
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    file = tmp_path / "faulty.json"
    file.write_bytes(msgspec.json.encode(content))
    parameters.load(file)
    file.write_bytes(msgspec.json.encode(faulty))
    with pytest.raises(ValueError, match=r"faulty\.json") as refused:
        parameters.load(file)
    assert told in str(refused.value)


def test_a_missing_land_use_is_named(tmp_path: Any) -> None:
    content = demo()
    del content["land_uses"]["station"]
    file = tmp_path / "faulty.json"
    file.write_bytes(msgspec.json.encode(content))
    with pytest.raises(ValueError, match="no demand of station"):
        parameters.load(file)
