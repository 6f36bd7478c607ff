"""Examples for OpenAPI, after Qingdao's published rules of road berths."""

from typing import Any, Final

_NIGHT: Final = {
    "id": "night",
    "days": "all",
    "start": "18:30",
    "end": "07:30",
    "charge": "free",
}
_DAY: Final = {
    "days": "all",
    "start": "07:30",
    "end": "18:30",
    "charge": "unit",
    "unit_s": 1800,
    "rounding": "up",
}

CLASS_1_ROAD: Final[dict[str, Any]] = {
    "id": "qd-class1-road",
    "name": {"zh": "一类区域道路泊位", "en": "Class 1 road berth"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "periods": [
        {
            "id": "day-peak",
            **_DAY,
            "tiers": [{"from_s": 0, "price_minor": 350}, {"from_s": 3600, "price_minor": 400}],
            "cap_minor": 6000,
            "season": {"from": "04-20", "to": "10-10"},
        },
        {
            "id": "day-off",
            **_DAY,
            "tiers": [{"from_s": 0, "price_minor": 200}],
            "cap_minor": 1500,
            "season": {"from": "10-11", "to": "04-19"},
        },
        _NIGHT,
    ],
    "tier_clock": "window",
    "boundary": "unit_start",
    "grace": {"mode": "threshold", "seconds": 900, "basis": "stay"},
    "version_policy": "at_entry",
}
