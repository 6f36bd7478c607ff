"""An example for OpenAPI, after Qingdao's published rule of two seasons for road berths."""

from typing import Any, Final

ROAD_BY_SEASON: Final[dict[str, Any]] = {
    "id": "taidong-road",
    "zone_id": "qd-370203-1",
    "lot_types": ["on_street"],
    "time_bands": [{"id": "day", "days": "all", "start": "07:30", "end": "18:30"}],
    "seasons": [
        {"id": "peak", "from": "04-20", "to": "10-10"},
        {"id": "off-peak", "from": "10-11", "to": "04-19"},
    ],
    "rule": "size_aware",
    "floor_minor": 200,
    "ceiling_minor": 840,
    "grid_minor": 20,
    "shortest_interval_days": 28,
    "coverage_percent": 90,
}
