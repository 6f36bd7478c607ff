"""A document that is no tariff gets every fault at once, each with its path."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pricing import Tariff, TariffFaultsError, canonical_json, content_hash, faults_of, read_tariff
from tests.pricing.builders import document, flat_period, free_period, unit_period


def paths(broken: Any) -> dict[str, str]:
    with pytest.raises(TariffFaultsError) as caught:
        read_tariff(broken)
    return {fault.path: fault.code for fault in caught.value.faults}


def tier(from_s: int) -> dict[str, int]:
    return {"from_s": from_s, "price_minor": 1}


def test_everything_wrong_is_said_at_once() -> None:
    broken = document(
        unit_period("a", tiers=[{"from_s": 60, "price_minor": 1.5}, {"from_s": 60}]),
        flat_period("a", "24:00", "25:00", -1, unit_s=60),
        grace={"mode": "threshold"},
        calendar={"holidays": ["2026-02-30"]},
        vehicles={"van": {"multiplier": "much"}},
        entitlements=[{"id": "nev", "percent_off": 101}],
        timezone="Mars/Olympus",
    )
    del broken["boundary"]
    assert paths(broken) == {
        "boundary": "missing",
        "timezone": "value_error",
        "periods[0].tiers[0].price_minor": "int_type",
        "periods[0].tiers[0].from_s": "first_tier",
        "periods[0].tiers[1].price_minor": "missing",
        "periods[0].tiers[1].from_s": "tier_order",
        "periods[1].id": "duplicate_id",
        "periods[1].start": "start_at_24",
        "periods[1].end": "value_error",
        "periods[1].price_minor": "greater_than_equal",
        "periods[1].unit_s": "contradiction",
        "grace.seconds": "missing",
        "grace.basis": "missing",
        "calendar.holidays[0]": "value_error",
        "vehicles.van.multiplier": "value_error",
        "entitlements[0].percent_off": "value_error",
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"periods": []}, "periods"),
        ({"periods": "all"}, "periods"),
        ({"tier_clock": "hour"}, "tier_clock"),
        ({"version_policy": None}, "version_policy"),
        ({"grace": {}}, "grace.mode"),
        ({"grace": {"mode": "none", "seconds": 60}}, "grace.seconds"),
        ({"grace": {"mode": "none", "first_stay_of_day": True}}, "grace.first_stay_of_day"),
        ({"grace": {"mode": "tail", "seconds": 60, "basis": "stay"}}, "grace.basis"),
        ({"caps": [{"amount_minor": 5}]}, "caps[0].window"),
        ({"caps": [{"window": "week", "amount_minor": 5}]}, "caps[0].window"),
        ({"vehicles": {}}, "vehicles"),
        ({"vehicles": {"moto": {"add_minor_per_unit": -101}}}, "vehicles.moto.add_minor_per_unit"),
        ({"vehicles": {"moto": {"multiplier": -1}}}, "vehicles.moto.multiplier"),
        ({"vehicles": {"moto": {"multiplier": True}}}, "vehicles.moto.multiplier"),
        ({"currency": "yuan"}, "currency"),
        ({"peroids": []}, "peroids"),
        ({"periods": [unit_period(unit_s=0)]}, "periods[0].unit_s"),
        ({"periods": [unit_period(unit_s="900")]}, "periods[0].unit_s"),
        ({"periods": [unit_period(rounding=None)]}, "periods[0].rounding"),
        ({"periods": [unit_period(tiers=[])]}, "periods[0].tiers"),
        ({"periods": [unit_period(days=["xmas"])]}, "periods[0].days"),
        ({"periods": [unit_period(days=[])]}, "periods[0].days"),
        ({"periods": [unit_period(start="7:30")]}, "periods[0].start"),
        ({"periods": [unit_period(cap_minr=5)]}, "periods[0].cap_minr"),
        (
            {"periods": [unit_period(season={"from": "02-30", "to": "03-01"})]},
            "periods[0].season.from",
        ),
        (
            {"periods": [free_period("a", "00:00", "24:00", price_minor=5)]},
            "periods[0].price_minor",
        ),
        ({"entitlements": [{"id": "a"}, {"id": "a"}]}, "entitlements[1].id"),
        (
            {"periods": [unit_period(tiers=[tier(0) | {"from_s": True}])]},
            "periods[0].tiers[0].from_s",
        ),
        ({"periods": [unit_period(tiers=[tier(0), tier(0)])]}, "periods[0].tiers[1].from_s"),
        ({"periods": [unit_period(price=True)]}, "periods[0].tiers[0].price_minor"),
        ({"periods": [unit_period(price=10**30)]}, "periods[0].tiers[0].price_minor"),
        # Digits of another script are digits to Python.
        (
            {"periods": [unit_period(season={"from": "0\u0661-01", "to": "12-31"})]},
            "periods[0].season.from",
        ),
        (
            {"periods": [unit_period(season={"from_": "01-01", "from": "01-01", "to": "12-31"})]},
            "periods[0].season.from_",
        ),
        ({"vehicles": {"moto": {"multiplier": "\u0661.5"}}}, "vehicles.moto.multiplier"),
        ({"vehicles": {"moto": {"multiplier": 1e-300}}}, "vehicles.moto.multiplier"),
        # Neither of these may be computed: the one fails, the other never ends.
        (
            {"vehicles": {"moto": {"multiplier": "1/0", "add_minor_per_unit": -1}}},
            "vehicles.moto.multiplier",
        ),
        (
            {"vehicles": {"moto": {"multiplier": "1e999999999", "add_minor_per_unit": -1}}},
            "vehicles.moto.multiplier",
        ),
        ({"vehicles": {"": {}}}, 'vehicles[""]'),
        ({"currency": "RMB"}, "currency"),
        ({"timezone": "right/Asia/Shanghai"}, "timezone"),
        ({"timezone": "localtime"}, "timezone"),
        ({"timezone": "Asia"}, "timezone"),
        ({"id": " "}, "id"),
        ({"note": float("nan")}, "note"),
        ({"note": ["\ud800"]}, "note[0]"),
        ({"vehicles": {"\ud800": {}}}, "vehicles"),
    ],
)
def test_a_single_fault_has_its_path(change: dict[str, Any], path: str) -> None:
    assert list(paths(document(unit_period()) | change)) == [path]


LONG_NUMBER = f'{{"id": 1{"0" * 5000}}}'


@pytest.mark.parametrize("text", ["[1", "[]", "null", b"\xff", "[" * 100_000, LONG_NUMBER])
def test_text_that_is_no_document(text: str | bytes) -> None:
    assert list(paths(text)) == [""]


def test_a_field_said_twice_has_its_path_beside_the_other_faults() -> None:
    text = json.dumps(document(unit_period(unit_s=0)))
    twice = text.replace('"charge": "unit"', '"charge": "free", "charge": "unit"')
    assert paths(twice) == {
        "periods[0].charge": "duplicate_key",
        "periods[0].unit_s": "greater_than_equal",
    }


def test_nesting_ends_somewhere() -> None:
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    assert list(paths(document(unit_period(), note=deep)).values()) == ["too_deep"]
    repeated = document(unit_period("\ud800"), unit_period("\ud800"))
    assert set(paths(repeated)) == {"periods[0].id", "periods[1].id"}


def test_the_model_itself_says_every_fault_too() -> None:
    broken = json.dumps(document(unit_period(unit_s=0), unit_period()))
    with pytest.raises(ValidationError) as caught:
        Tariff.model_validate_json(broken)
    assert {each.path for each in faults_of(caught.value)} == {"periods[0].unit_s", "periods[1].id"}


def test_descriptions_may_stand_anywhere_and_a_leap_day_is_a_season_day() -> None:
    season = {"from": "02-29", "to": "02-29"}
    held = unit_period(season=season, note="any") | {"name": {"zh": "日", "en": "Day"}}
    written = document(held, source={"law": "x"})
    assert read_tariff(written).document() == written


def test_the_hash_is_of_the_canonical_text() -> None:
    written = document(unit_period(), vehicles={"van": {"multiplier": 1.5}, "small": {}})
    shuffled = dict(reversed(written.items()))
    assert canonical_json({"b": 1, "a": "一"}) == '{"a":"一","b":1}'.encode()
    assert content_hash(written) == content_hash(shuffled) == content_hash(read_tariff(shuffled))
    assert content_hash(written) != content_hash(written | {"id": "other"})


def many(field: str) -> Any:
    periods = [unit_period(f"p{place}") for place in range(49)]
    each: Any = {
        "periods": periods,
        "tiers": [unit_period("a", tiers=[tier(60 * place) for place in range(25)])],
        "caps": [{"window": "session", "amount_minor": 1}] * 9,
        "vehicles": {f"v{place}": {} for place in range(33)},
        "entitlements": [{"id": f"e{place}"} for place in range(33)],
        "calendar": {"holidays": ["2026-01-01"] * 2001},
        "days": [unit_period("a", days=["mon"] * 11)],
    }[field]
    if field in ("periods", "tiers", "days"):
        return document(*each)
    return document(unit_period(), **{field: each})


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("periods", "periods"),
        ("tiers", "periods[0].tiers"),
        ("caps", "caps"),
        ("vehicles", "vehicles"),
        ("entitlements", "entitlements"),
        ("calendar", "calendar.holidays"),
        ("days", "periods[0].days"),
    ],
)
def test_more_than_any_real_tariff_has_is_a_fault(field: str, path: str) -> None:
    assert list(paths(many(field))) == [path]


def test_tiers_are_bounded_in_all() -> None:
    tiers = [tier(60 * place) for place in range(24)]
    eight = [unit_period(f"p{place}", tiers=tiers) for place in range(8)]
    read_tariff(document(*eight))
    assert paths(document(*eight, unit_period("more"))) == {"periods": "too_many_tiers"}


def test_many_repeated_fields_are_told_in_few_words() -> None:
    text = "{" + ",".join(f'"f{n}":1,"f{n}":2' for n in range(20_000)) + "}"
    with pytest.raises(TariffFaultsError) as caught:
        read_tariff(text)
    assert "" in {fault.path for fault in caught.value.faults}
    assert len(caught.value.faults) <= 20


def test_faults_of_a_text_are_bounded() -> None:
    text = '{"note": [' + ",".join(["NaN"] * 10_000) + "]}"
    with pytest.raises(TariffFaultsError) as caught:
        read_tariff(text)
    assert len([fault for fault in caught.value.faults if fault.code == "not_finite"]) == 100
