"""Names that people read: of the document where it gives them, else of what a part says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pricing import Ceiling, Version, lint, read_tariff
from pricing.document import Cap, Entitlement, Period, Vehicle
from pricing.texts import naming
from tests.pricing.builders import document, flat_period, free_period, priced, unit_period

NAMED = {"name": {"zh": "高峰", "en": "Peak"}}


@pytest.mark.parametrize(
    ("fields", "called"),
    [
        ({}, ("每日08:00至20:00", "daily 08:00-20:00")),
        ({"days": ["workday"]}, ("工作日08:00至20:00", "workdays 08:00-20:00")),
        (
            {"days": ["weekend", "holiday"]},
            ("周末、法定节假日08:00至20:00", "weekends, public holidays 08:00-20:00"),
        ),
        (
            {"start": "18:30", "end": "07:30"},
            ("每日18:30至次日07:30", "daily 18:30-07:30 of the next day"),
        ),
        ({"start": "00:00", "end": "24:00"}, ("每日全天", "daily 00:00-24:00")),
        ({"start": "00:00", "end": "00:00"}, ("每日全天", "daily 00:00-24:00")),
        ({"start": "07:00", "end": "07:00"}, ("每日07:00起24小时", "daily 24 hours from 07:00")),
        (
            {"season": {"from": "04-20", "to": "10-10"}},
            ("4月20日至10月10日每日08:00至20:00", "20 April to 10 October, daily 08:00-20:00"),
        ),
        (NAMED, ("高峰", "Peak")),
    ],
)
def test_a_period_is_called_by_its_name_or_its_times(
    fields: dict[str, Any], called: tuple[str, str]
) -> None:
    given = unit_period("id-1", "08:00", "20:00") | fields
    assert naming.period(Period.model_validate(given)) == called


def test_vehicles_entitlements_and_caps_have_names_too() -> None:
    named = Vehicle.model_validate(NAMED)
    assert naming.vehicle("id-1", named) == ("高峰", "Peak")
    assert naming.vehicle("large", Vehicle()) == ("大型车", "large vehicles")
    assert naming.vehicle("id-1", Vehicle()) == ("该类车型", "this class of vehicles")

    def entitled(**fields: Any) -> tuple[str, str]:
        return naming.entitlement(Entitlement.model_validate({"id": "id-1", **fields}))

    assert entitled(**NAMED, deduct_s=60) == ("高峰", "Peak")
    assert entitled(deduct_s=3600) == ("减免1小时", "1 h let off")
    both = entitled(deduct_s=3600, percent_off="12.5")
    assert both == ("减免1小时并减收12.5%", "1 h let off and 12.5 % off")
    assert entitled() == ("无减免", "nothing let off")
    cap = {"window": "calendar_day", "amount_minor": 6000}
    assert naming.cap(Cap.model_validate(cap), "CNY") == (
        "每个自然日最高60.00元",
        "CNY 60.00 for a calendar day",
    )
    assert naming.cap(Cap.model_validate(cap | NAMED), "CNY") == ("高峰", "Peak")


# Every id has a part that no word of a sentence has.
MARK = "zq"


def marked(price: int = 100) -> dict[str, Any]:
    """A tariff with lines of every kind."""
    tiers = [{"from_s": 0, "price_minor": price}, {"from_s": 7200, "price_minor": price + 33}]
    day = unit_period("zq-day", "08:00", "18:00", tiers=tiers, cap_minor=1000, rounding="down")
    return document(
        free_period("zq-lunch", "12:00", "13:00"),
        day,
        free_period("zq-late", "21:00", "22:00"),
        flat_period("zq-evening", "20:00", "02:00", 801),
        unit_period("zq-never", "08:00", "18:00", cap_minor=10),
        id="zq-tariff",
        vehicles={"zq-van": {"multiplier": 1.25, "add_minor_per_unit": 50}, "small": {}},
        entitlements=[
            {"id": "zq-nev", "deduct_s": 1800, "combinable_with_grace": True},
            {"id": "zq-half", "percent_off": "33.33"},
        ],
        caps=[
            {"window": "calendar_day", "amount_minor": 3000},
            {"window": "calendar_day", "amount_minor": 2000},
        ],
        version_policy="at_unit_start",
    )


def texts() -> Iterator[tuple[str, dict[str, str]]]:
    held, later = read_tariff(marked()), read_tariff(marked(140))
    version = Version(datetime(2026, 6, 10, 3, tzinfo=UTC), later)
    for grace in (
        {"mode": "none"},
        {"mode": "tail", "seconds": 600},
        {"mode": "deduct", "seconds": 600},
    ):
        asked = read_tariff(marked() | {"grace": grace})
        for granted in ((), ("zq-nev", "zq-half")):
            for leave in ("2026-06-10T15:05", "2026-06-11T03:00"):
                stay: Any = {"vehicle": "zq-van", "versions": (version,)}
                found = priced(asked, "2026-06-10T08:00", leave, *granted, **stay)
                yield from ((line.kind, line.text) for line in found.lines)
    ceilings = [Ceiling("文", 120, 900, 119, None)]
    for each in lint(held, year=2026, ceilings=ceilings):
        yield each.code, {"zh": each.zh, "en": each.en}


def test_no_sentence_holds_an_id() -> None:
    said = list(texts())

    assert {
        "unit", "flat", "free", "gap", "grace", "deducted", "tail", "dropped", "paid",
        "percentage", "rounding",
    } <= {kind for kind, _ in said}  # fmt: skip
    assert {
        "overlap", "period_never_governs", "cap_below_unit", "cap_beside_lower",
        "ceiling_exceeded", "floor_undercut", "vehicle_without_name",
    } <= {code for code, _ in said}  # fmt: skip
    assert [text for _, text in said if MARK in json.dumps(text)] == []
    english = " ".join(text["en"] for _, text in said)
    for words in (
        'Period "daily 08:00-18:00", tier 1',
        "(this class of vehicles)",
        ', priced by "Test", in force by then',
        'entitlement "30 min let off"',
        'Entitlement "33.33 % off"',
    ):
        assert words in english


def test_ids_stand_in_members_of_their_own() -> None:
    found = priced(
        read_tariff(marked()), "2026-06-10T08:00", "2026-06-10T11:00", "zq-nev", vehicle="zq-van"
    )
    first, second = (line.as_dict() for line in found.lines[:2])
    assert (first["period_id"], first["entitlement"]) == ("zq-day", "zq-nev")
    assert second["adjustment"]["vehicle"] == "zq-van"
    assert not {name for name in (*first, *second) if name.endswith("called")}
