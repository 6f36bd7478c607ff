"""Tariffs of the demo city, after Qingdao's published rules, and what goes with them.

Road berths of class 1 have the two seasons of the published rule, those of the West Coast (黄岛)
its vehicles, first half hour and new-energy relief, those of Jiaozhou its class 2 price. Class 2,
class 3 and lots off the street are set below them in the same form, for the demonstration.
"""

from typing import Any, Final, NamedTuple

from simulators.city.holidays import MAKEUP_WORKDAYS, holidays
from simulators.city.land_use import OFF_STREET, ON_STREET
from simulators.city.zones import Zone, load_zones

VALID_FROM: Final = "2025-01-01T00:00:00+08:00"
WEST_COAST: Final = "370211"
JIAOZHOU: Final = "370281"
PEAK: Final = {"from": "04-20", "to": "10-10"}
OFF_PEAK: Final = {"from": "10-11", "to": "04-19"}
HALF_HOUR_S: Final = 1800
HOUR_S: Final = 3600

Json = dict[str, Any]


class _Kind(NamedTuple):
    """Lots on the street, or off it, and what a tariff calls them."""

    lot_types: tuple[str, ...]
    zh: str
    en: str


_ROAD: Final = _Kind((ON_STREET,), "道路泊位", "road berth")
_OFF_STREET: Final = _Kind(OFF_STREET, "路外停车场", "off-street lot")


def _day(hours: tuple[str, str], prices: tuple[int, ...], cap: int, **more: Any) -> Json:
    """A charged day in half hours: the first hour's price, then, if there is one, the next."""
    tiers = [{"from_s": n * HOUR_S, "price_minor": price} for n, price in enumerate(prices)]
    return {
        "id": "day",
        "days": "all",
        "start": hours[0],
        "end": hours[1],
        "charge": "unit",
        "unit_s": HALF_HOUR_S,
        "rounding": "up",
        "tiers": tiers,
        "cap_minor": cap,
    } | more


def _document(
    tariff_id: str, names: tuple[str, str], days: list[Json], grace: Json, **more: Any
) -> Json:
    hours = {"start": days[0]["end"], "end": days[0]["start"]}
    return {
        "id": tariff_id,
        "name": {"zh": names[0], "en": names[1]},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "periods": [*days, {"id": "night", "days": "all", **hours, "charge": "free"}],
        "tier_clock": "window",
        "boundary": "unit_start",
        "grace": grace,
        "version_policy": "at_entry",
    } | more


_URBAN: Final = ("07:30", "18:30")
_OUTER: Final = ("08:00", "18:00")
_QUARTER_FREE: Final = {"mode": "threshold", "seconds": 900, "basis": "stay"}
_HALF_OFF: Final = {"mode": "deduct", "seconds": 1800}
_FIRST_HALF_OFF: Final = _HALF_OFF | {"first_stay_of_day": True}
_CLASSES: Final = {
    "small": {},
    "medium": {"add_minor_per_unit": 50, "cap_multiplier": 1.5},
    "large": {"add_minor_per_unit": 100, "cap_multiplier": 2},
}
_NEW_ENERGY: Final = {
    "id": "nev",
    "name": {"zh": "新能源车", "en": "New-energy vehicle"},
    "deduct_s": 7200,
    "combinable_with_grace": False,
    "quota": "first_stay_per_day_per_lot",
}


def _two_seasons(peak: tuple[int, ...], peak_cap: int, off: int, off_cap: int) -> list[Json]:
    return [
        _day(_URBAN, peak, peak_cap, id="day-peak", season=PEAK),
        _day(_URBAN, (off,), off_cap, id="day-off", season=OFF_PEAK),
    ]


def _documents() -> list[tuple[str, tuple[str, ...], Json]]:
    """Group of zones, lot types and document of each tariff."""
    dear = _two_seasons((250, 300), 4000, 150, 1200)
    outer_road, outer_off = [_day(_OUTER, (130,), 1300)], [_day(_OUTER, (100,), 1000)]
    coast: dict[str, Any] = {"vehicles": _CLASSES, "entitlements": [_NEW_ENERGY]}
    coast_road, coast_off = [_day(_OUTER, (150, 200), 1500)], [_day(_OUTER, (100, 150), 1200)]
    class_1 = _two_seasons((350, 400), 6000, 200, 1500)
    class_2_off = _two_seasons((150, 200), 2500, 100, 1000)
    quarter, half, first = _QUARTER_FREE, _HALF_OFF, _FIRST_HALF_OFF
    table: list[tuple[str, _Kind, str, str, str, list[Json], Json, dict[str, Any]]] = [
        ("1", _ROAD, "qd-road-1", "一类区域", "Class 1", class_1, quarter, {}),
        ("1", _OFF_STREET, "qd-off-1", "一类区域", "Class 1", dear, quarter, {}),
        ("2", _ROAD, "qd-road-2", "二类区域", "Class 2", dear, quarter, {}),
        ("2", _OFF_STREET, "qd-off-2", "二类区域", "Class 2", class_2_off, quarter, {}),
        ("3", _ROAD, "qd-road-3", "三类区域", "Class 3", outer_road, half, {}),
        ("3", _OFF_STREET, "qd-off-3", "三类区域", "Class 3", outer_off, half, {}),
        (WEST_COAST, _ROAD, "wc-road", "西海岸新区", "West Coast", coast_road, first, coast),
        (WEST_COAST, _OFF_STREET, "wc-off", "西海岸新区", "West Coast", coast_off, first, coast),
        (JIAOZHOU, _ROAD, "jz-road", "胶州", "Jiaozhou", outer_road, half, {}),
        (JIAOZHOU, _OFF_STREET, "jz-off", "胶州", "Jiaozhou", outer_off, half, {}),
    ]
    return [
        (
            group,
            kind.lot_types,
            _document(tariff_id, (zh + kind.zh, f"{en} {kind.en}"), days, grace, **more),
        )
        for group, kind, tariff_id, zh, en, days, grace, more in table
    ]


def _group(zone: Zone) -> str:
    return zone.adcode if zone.adcode in (WEST_COAST, JIAOZHOU) else str(zone.zone_class)


def tariffs_document() -> Json:
    """What `tariffs.json` holds: calendar, price controls and tariffs of the whole city."""
    zones = load_zones()
    return {
        "calendar": {
            "holidays": [day.isoformat() for day in holidays()],
            "makeup_workdays": list(MAKEUP_WORKDAYS),
        },
        "price_controls": [_control(*each) for each in ((1, 700), (2, 500), (3, 300))],
        "tariffs": [
            {
                "document": document,
                "applies_to": {
                    "zones": [zone.zone_id for zone in zones if _group(zone) == group],
                    "lot_types": list(lot_types),
                },
                "effective_from": VALID_FROM,
            }
            for group, lot_types, document in _documents()
        ],
    }


def _control(zone_class: int, base_minor: int) -> Json:
    """A guided price of road berths that may float by a fifth, in smallest units an hour."""
    name = "一二三"[zone_class - 1]
    return {
        "price_control_id": f"qd-road-{zone_class}",
        "legal_reference": {
            "zh": f"{name}类区域道路泊位停车收费政府指导价（演示）",
            "en": f"Government-guided price of class {zone_class} road berths (demonstration)",
        },
        "zone_class": zone_class,
        "lot_types": list(_ROAD.lot_types),
        "vehicle": "small",
        "base_minor": base_minor,
        "float_up_percent": 20,
        "valid_from": VALID_FROM,
    }
