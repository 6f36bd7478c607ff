"""The notice in both languages, held to whole texts; who issues it, under which number, and when.

The texts stand in `data/`. Where one changes on purpose, write it anew, and read it:

    RECORD_NOTICES=1 pytest tests/parking_api/notices
    git diff tests/parking_api/notices/data
"""

import os
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.parking_api.builders import Builder
from tests.parking_api.bureau import Bureau, class_1_road, document, get
from tests.parking_api.notices.test_notice import WEST_COAST, Seen, notice

DATA = Path(__file__).parent / "data"
ISSUED = {
    "issuing_office": {
        "zh": "青岛市发展和改革委员会",
        "en": "Qingdao Municipal Development and Reform Commission",
    },
    "document_number": "青发改规〔2026〕12号",
    "issued_on": "2026-11-22",
}
UNIT = {"charge": "unit", "rounding": "down"}
# Every kind of sentence that the two others do not have.
MANY: dict[str, Any] = {
    "periods": [
        {
            "id": "day",
            "days": ["workday"],
            "start": "08:00",
            "end": "20:00",
            **UNIT,
            "unit_s": 3600,
            "tiers": [
                {"from_s": 0, "price_minor": 500},
                {"from_s": 7200, "price_minor": 600},
                {"from_s": 16_200, "price_minor": 650},
            ],
        },
        {
            "id": "rest",
            "days": ["weekend", "holiday"],
            "start": "09:00",
            "end": "09:00",
            "charge": "flat",
            "price_minor": 1000,
        },
        {
            "id": "nights",
            "days": ["mon", "tue", "fri"],
            "start": "20:00",
            "end": "08:00",
            **UNIT,
            "unit_s": 5400,
            "tiers": [{"from_s": 0, "price_minor": 100}],
        },
    ],
    "tier_clock": "session",
    "boundary": "split",
    "grace": {"mode": "threshold", "seconds": 3600, "basis": "chargeable"},
    "caps": [
        {"window": "calendar_day", "amount_minor": 8000},
        {"window": "session", "amount_minor": 20_000},
    ],
    "vehicles": {
        "small": {},
        "truck": {"multiplier": "1.5", "cap_multiplier": "1.5"},
        "bus": {"name": {"zh": "大客车", "en": "buses"}, "multiplier": 2},
    },
    "entitlements": [{"id": "card", "percent_off": "12.5"}],
    "version_policy": "at_unit_start",
}
TARIFFS: dict[str, dict[str, Any]] = {
    "class-1-road": class_1_road("t-1"),
    "west-coast": document(**WEST_COAST),
    "many-clauses": document(**MANY),
}


async def published(bureau: Bureau, name: str) -> str:
    """Publish a tariff with all that its notice can say of itself; give its path."""
    await bureau.post(
        "/v1/price-controls",
        bureau.drafter,
        price_control_id="c-1",
        legal_reference={"zh": "机动车停放服务收费管理办法", "en": "Measures for Parking Charges"},
        base_minor=100_000,
        valid_from="2025-01-01T00:00:00Z",
    )
    await bureau.post("/v1/price-controls/c-1/approve", bureau.approver)
    types = ["on_street", "surface", "underground"]
    path = await bureau.approved(
        document=TARIFFS[name],
        applies_to={"zones": ["z-1"], "lot_types": types[: 1 + 2 * (name == "many-clauses")]},
    )
    times = {
        "effective_from": "2027-01-01T00:00:00+08:00",
        "effective_to": "2028-07-01T08:30:00+08:00",
    }
    await bureau.act(path, "schedule", bureau.approver, **times, **ISSUED)
    return path


@pytest.mark.parametrize("name", TARIFFS)
async def test_the_whole_text(bureau: Bureau, name: str) -> None:
    path = await published(bureau, name)
    for language in ("zh", "en"):
        answer = await bureau.api.get(f"{path}/notice", params={"f": "md", "lang": language})
        assert answer.headers["content-language"] == language
        file = DATA / f"{name}.{language}.md"
        if os.environ.get("RECORD_NOTICES"):
            file.write_text(answer.text, encoding="utf-8")
        assert answer.text == file.read_text(encoding="utf-8"), language


async def test_pages_say_their_language_and_who_issued_them(bureau: Bureau) -> None:
    path = await published(bureau, "class-1-road")
    chinese = await notice(bureau, path, "html")
    english = (await bureau.api.get(f"{path}/notice?lang=en")).text

    assert '<html lang="zh-CN">' in chinese
    assert '<html lang="en">' in english
    assert '<p class="number">青发改规〔2026〕12号</p>' in english
    end = chinese.index("</table>\n<p class")
    assert chinese[end:].startswith(
        '</table>\n<p class="signature">青岛市发展和改革委员会</p>\n'
        '<p class="signature">2026年11月22日</p>\n<p class="identity">收费标准编号：t-1，第1版。'
    )
    assert '<p class="signature">22 November 2026</p>' in english
    refused = await bureau.api.get(f"{path}/notice?lang=fr")
    assert refused.status_code == 422


async def test_no_chinese_is_left_in_an_english_text(bureau: Bureau) -> None:
    path = await published(bureau, "many-clauses")
    text = (await bureau.api.get(f"{path}/notice?lang=en&f=md")).text

    left = {letter for letter in text if letter > "\u2fff"} - set(ISSUED["document_number"])
    assert left == set()


async def test_an_english_text_is_escaped(bureau: Bureau) -> None:
    evil = "<script>alert('x')</script>|*"
    both = {"zh": "好", "en": evil}
    path = await bureau.approved(document=document(name=both))
    issued = {"issuing_office": both, "document_number": evil}
    await bureau.act(path, "publish", bureau.approver, **issued)
    seen = Seen()
    seen.feed((await bureau.api.get(f"{path}/notice?lang=en")).text)

    # Title twice, number and office.
    assert sum(evil in text for text in seen.texts) == 4
    assert "script" not in seen.tags
    assert evil not in (await bureau.api.get(f"{path}/notice?lang=en&f=md")).text


async def test_versions_say_who_issued_them(bureau: Bureau) -> None:
    path = await published(bureau, "class-1-road")
    plain = await bureau.published(document=document("t-2"), applies_to={"lots": ["outside"]})

    told = await get(bureau, path)
    assert {field: told[field] for field in ISSUED} == ISSUED
    (listed,) = (await get(bureau, "/v1/tariffs?tariff=t-1"))["items"]
    assert {field: listed[field] for field in ISSUED} == ISSUED
    other = await get(bureau, plain)
    assert [other[field] for field in ISSUED] == [None, None, None]
    assert 'signature">' not in await notice(bureau, plain, "html")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"issuing_office": {"zh": "办"}}, "issuing_office.en"),
        ({"issuing_office": {"zh": "办", "en": "x" * 201}}, "issuing_office.en"),
        ({"document_number": "1" * 101}, "document_number"),
        ({"document_number": "1\n2"}, "document_number"),
        ({"issued_on": "22 November 2026"}, "issued_on"),
    ],
)
async def test_what_is_no_office_number_or_date_is_refused(
    bureau: Bureau, given: dict[str, Any], fault: str
) -> None:
    path = await bureau.approved()

    answer = await bureau.post(f"{path}/publish", bureau.approver, **given)

    assert answer.status_code == 422
    assert [each["parameter"] for each in answer.json()["errors"]] == [fault]


async def test_who_issued_a_version_stays(bureau: Bureau, built: Builder) -> None:
    await published(bureau, "class-1-road")
    for column, value in (
        ("document_number", "'other'"),
        ("issued_on", "'2027-01-01'"),
        ("issuing_office_en", "'Another'"),
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await built.connection.execute(f"UPDATE tariff_version SET {column} = {value}")
    withdrawn = await bureau.decided("/v1/tariffs/t-1/versions/1/withdraw", leaves_unpriced=True)
    assert withdrawn["document_number"] == ISSUED["document_number"]
