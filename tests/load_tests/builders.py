"""Lots and answers that are right, for tests to spoil."""

from typing import Any

from pyproj import Geod

from load_tests.catalogue import Lot

AT = (120.38, 36.066)
BAYS = Lot("370202-0001", "op-a", "bays", 4, "scenic", 120.3797, 36.0631)
GATES = Lot("370202-0002", "op-a", "count", 50, "mall", 120.3783, 36.0634)
LOTS = {lot.lot_id: lot for lot in (BAYS, GATES)}
OBSERVED_AT = "2026-11-22T09:30:00+08:00"
STAY = {"from": "2026-11-22T01:30:00Z", "duration_min": 60, "vehicle": None}
QUOTE = {"total_minor": 700, "currency": "CNY", "tariff_id": "t-1", "version": 1}


def distance_m(longitude: float, latitude: float) -> float:
    return float(Geod(ellps="WGS84").inv(*AT, longitude, latitude)[2])


def location(longitude: float, latitude: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def near(lot: Lot) -> dict[str, Any]:
    return {
        "lot_id": lot.lot_id,
        "location": location(lot.longitude, lot.latitude),
        "distance_m": round(distance_m(lot.longitude, lot.latitude), 3),
        "capacity": lot.capacity,
        "free_spaces": 3,
        "unknown_spaces": 0,
        "status": "open",
        "data_state": "live",
        "observed_at": OBSERVED_AT,
        "age_s": 1.5,
        "quote": dict(QUOTE),
    }


def nearest() -> dict[str, Any]:
    lots = sorted(map(near, LOTS.values()), key=lambda one: float(one["distance_m"]))
    return {"lots": lots, "stay": dict(STAY), "as_of": OBSERVED_AT, "degraded": False}


def bay(number: int) -> dict[str, Any]:
    return {
        "space_id": f"{BAYS.lot_id}-{number:04d}",
        "number": number,
        "level": 0,
        "space_class": "standard",
        "location": location(BAYS.longitude, BAYS.latitude),
    }


def nearest_spaces() -> dict[str, Any]:
    away = round(distance_m(BAYS.longitude, BAYS.latitude), 3)
    spaces = [bay(n) | {"lot_id": BAYS.lot_id, "distance_m": away} for n in (1, 2)]
    return {"spaces": spaces, "as_of": OBSERVED_AT}


def lot_spaces() -> dict[str, Any]:
    return {"items": [bay(n) | {"state": "free"} for n in range(1, 5)], "observed_at": OBSERVED_AT}


def one_lot() -> dict[str, Any]:
    return {
        "lot_id": BAYS.lot_id,
        "operator_id": "op-a",
        "reporting": "bays",
        "capacity": 4,
        "free_spaces": 3,
        "unknown_spaces": 0,
        "status": "open",
        "age_s": 1.5,
        "free_by_class": {"standard": 2, "accessible": 0, "ev": 1, "large": 0},
        "data_state": "live",
        "quote": dict(QUOTE),
        "stay": dict(STAY),
        "degraded": False,
    }


def totals(lots: int, free: int, capacity: int) -> dict[str, Any]:
    states = {"live": lots, "stale": 0, "estimated": 0, "unknown": 0}
    return {
        "lots": lots,
        "capacity": capacity,
        "free_spaces": free,
        "unknown_spaces": 0,
        "occupancy": 1 - free / capacity,
        **states,
    }


def city() -> dict[str, Any]:
    return {
        **totals(3, 30, 100),
        "districts": [totals(1, 10, 40), totals(2, 20, 60)],
        "as_of": OBSERVED_AT,
        "degraded": False,
    }
