"""Places, districts and lots by their names."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from parking_api.importing.faults import ImportFaultsError
from parking_api.importing.service import import_city
from parking_api.places import following
from parking_api.places.following import read_index
from parking_api.places.index import Index
from parking_api.places.models import FoundPlaces
from parking_api.places.queries import NamedThing
from simulators.city.ground import load_places
from sql.engine import Db
from tests.parking_api.builders import Builder
from tests.parking_api.import_files import SILENT, write_city
from tests.parking_api.serving import get, refused
from tests.polling import until

AT = datetime(2026, 11, 22, tzinfo=UTC)
HEAD = "place_id,name_zh,name_en,district,longitude,latitude\n"
PLACES = f"""\
{HEAD}p-1,五四广场,May Fourth Square,,120.05,36.05
p-2,青岛站,Qingdao Railway Station,370202,120.02,36.02
p-3,重庆路,Chongqing Road,,121.5,37.5
"""


def named(*names: tuple[str, str]) -> Index:
    """An index of places at one point."""
    return Index(
        [
            NamedThing(
                rank=0,
                kind="place",
                id=str(number),
                name_zh=zh,
                name_en=en,
                district=None,
                longitude=120.0,
                latitude=36.0,
            )
            for number, (zh, en) in enumerate(names)
        ]
    )


def found(index: Index, asked: str) -> list[str]:
    return [each.thing.name_zh for each in index.find(asked, None, 10)]


@pytest.mark.parametrize(
    "asked",
    [
        *("五四广场", "五四", "广场", "五四 广场", "「五四广场」"),
        *("wusiguangchang", "wu si guang chang", "WuSi", "guangch", "wǔ sì"),
        *("wsgc", "WSGC", "gc"),
        *("may fourth square", "May 4", "fourth", "MAYFOURTH", "\uff4d\uff41\uff59"),
    ],
)
def test_a_name_is_found_by_all_its_ways(asked: str) -> None:
    index = named(("栈桥", "Zhanqiao Pier"), ("五四广场", "May Fourth Square"))
    assert found(index, asked) == ([] if asked == "May 4" else ["五四广场"])


def test_a_question_begins_where_a_word_does() -> None:
    index = named(("五四广场", "May Fourth Square"))
    for asked in ("uang", "ourth", "s", "u", "quare", "", "-", "五广"):
        assert found(index, asked) == ([] if asked != "s" else ["五四广场"]), asked


def test_a_character_with_several_readings_is_read_by_its_word() -> None:
    index = named(("重庆路", "Chongqing Road"), ("重点中学", "Key School"), ("吕家", "Lü Family"))
    assert found(index, "chongqing") == ["重庆路"]
    assert found(index, "zhongdian") == ["重点中学"]
    for asked in ("lvjia", "lüjia", "lujia", "lv"):
        assert found(index, asked) == ["吕家"], asked
    assert found(index, "lu family") == ["吕家"]


def test_what_fits_best_comes_first() -> None:
    index = named(
        ("青岛站北广场", "Qingdao Station North Square"),
        ("新青岛站", "New Qingdao Station"),
        ("青岛站", "Qingdao Station"),
    )
    assert found(index, "青岛站") == ["青岛站", "青岛站北广场", "新青岛站"]
    assert found(index, "qingdaozhan") == ["青岛站", "青岛站北广场", "新青岛站"]


def test_every_place_of_the_demo_is_found() -> None:
    places = load_places()
    index = named(*((place.name_zh, place.name_en) for place in places))
    for place in places:
        for asked in (place.name_zh, place.name_en):
            assert place.name_zh in [
                each.thing.name_zh for each in index.find(asked, None, len(places))
            ]


async def test_they_come_in_with_a_city(db: Db, api: httpx.AsyncClient, tmp_path: Path) -> None:
    directory = write_city(tmp_path / "city")
    (directory / "places.csv").write_text(PLACES, encoding="utf-8")
    totals = await import_city(db, directory, at=AT, steps=SILENT)
    assert totals.counts["places"] == (3, 3, 0)

    for source in ("memory", "database"):
        here = {"q": "五四", "lon": 120.05, "lat": 36.05, "source": source}
        told = await get(api, "/v1/places", **here)
        FoundPlaces.model_validate(told)
        assert told["items"] == [
            {
                "kind": "place",
                "id": "p-1",
                "name": {"zh": "五四广场", "en": "May Fourth Square"},
                "district": "370202",
                "location": {"type": "Point", "coordinates": [120.05, 36.05]},
                "distance_m": 0.0,
            }
        ]
        # Of no district, since none covers it.
        road = await get(api, "/v1/places", q="chongqinglu", source=source)
        assert [(each["id"], each["district"]) for each in road["items"]] == [("p-3", None)]
        lot = await get(api, "/v1/places", q="甲一", source=source)
        assert [(each["kind"], each["id"]) for each in lot["items"]] == [("lot", "370202-0001")]
        district = await get(api, "/v1/places", q="District 370202", source=source)
        assert [(each["kind"], each["id"]) for each in district["items"]] == [
            ("district", "370202")
        ]

    renamed = PLACES.replace("May Fourth Square", "May 4th Square")
    (directory / "places.csv").write_text(renamed, encoding="utf-8")
    assert (await import_city(db, directory, at=AT, steps=SILENT)).counts["places"] == (3, 0, 1)
    (directory / "places.csv").unlink()
    assert "places" not in (await import_city(db, directory, at=AT, steps=SILENT)).counts
    assert len((await get(api, "/v1/places", q="may 4th"))["items"]) == 1


async def test_names_are_read_by_pages(
    db: Db, built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await built.lot(f"lot-{number}")
    await built.connection.execute(
        "INSERT INTO place (place_id, name_zh, name_en, geog)"
        " VALUES ('p-1', '四方', 'Sifang', 'POINT(120.3 36.1)')"
    )
    whole = await read_index(db)
    assert whole.things[0].id == "p-1"
    assert [each.id for each in whole.things][-5:] == [f"lot-{number}" for number in range(5)]
    for most in range(1, len(whole.things) + 2):
        monkeypatch.setattr(following, "_A_PAGE", most)
        paged = await read_index(db)
        assert paged.things == whole.things
        # Unchanged, the former one stays.
        assert await read_index(db, paged) is paged
    await built.lot("lot-6")
    assert (await read_index(db, whole)) is not whole


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("p-1,五四广场,Square,370299,120.05,36.05", "there is no district"),
        ("p-1,,Square,,120.05,36.05", "name_zh"),
        ("p-1,五四广场,Square,,220.05,36.05", "longitude"),
    ],
)
async def test_faults_of_the_file_are_named(db: Db, tmp_path: Path, row: str, fault: str) -> None:
    directory = write_city(tmp_path / "city")
    (directory / "places.csv").write_text(HEAD + row, encoding="utf-8")
    with pytest.raises(ImportFaultsError) as refusal:
        await import_city(db, directory, at=AT, steps=SILENT)
    (line,) = refusal.value.faults.lines()
    assert line.startswith("places.csv, row 2")
    assert fault in line


@pytest.fixture
async def lots(api: httpx.AsyncClient, built: Builder) -> httpx.AsyncClient:
    """The API of three lots, farther and farther to the east."""
    for number, lot_id in enumerate("abc"):
        await built.lot(lot_id, 120.38 + number / 100)
    return api


async def ids(api: httpx.AsyncClient, **asked: Any) -> list[str]:
    return [each["id"] for each in (await get(api, "/v1/places", **asked))["items"]]


async def test_the_nearest_come_first(lots: httpx.AsyncClient) -> None:
    for source in ("memory", "database"):
        asked = {"q": "车场", "source": source}
        assert await ids(lots, **asked, lon=120.41, lat=36.06) == ["c", "b", "a"]
        assert await ids(lots, **asked, lon=120.37, lat=36.06, limit=2) == ["a", "b"]
        assert await ids(lots, **asked) == ["a", "b", "c"]
        there = {"crs": "gcj02", "lon": 120.4152, "lat": 36.0604}
        assert await ids(lots, **asked, **there) == ["c", "b", "a"]


async def test_what_is_no_question(lots: httpx.AsyncClient) -> None:
    assert await refused(lots, "/v1/places") == ["q"]
    assert await refused(lots, "/v1/places", q=" ") == ["q"]
    assert await refused(lots, "/v1/places", q="a" * 101) == ["q"]
    assert await refused(lots, "/v1/places", q="a", lon=1) == [""]
    assert await ids(lots, q="!?") == []


async def test_a_renamed_lot_is_found_by_its_new_name(
    lots: httpx.AsyncClient, built: Builder
) -> None:
    """The database tells: nobody reads for the question."""
    lots.event_hooks = {"request": []}
    await built.connection.execute("UPDATE lot SET name_zh = '海云庵' WHERE lot_id = 'b'")

    async def is_found() -> bool:
        answer = await lots.get(f"/v1/places?q={quote('haiyunan')}")
        return bool(answer.json()["items"])

    await until(is_found)
