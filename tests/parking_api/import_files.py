"""A small city in the import format, to be changed by each test as it needs."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from parking_api.importing.progress import Steps
from parking_api.operators.broker_files import API_USER, INGEST_USER, PUSH_USER
from tests.parking_api.builders import square

PLATFORM = {INGEST_USER: "ingest-secret", API_USER: "api-secret", PUSH_USER: "push-secret"}
SILENT = Steps(Console(quiet=True))
STATE = """
INSERT INTO lot_state (
    lot_id, epoch, seq, version, capacity, free_spaces, unknown_spaces, occupied_bits,
    unknown_bits, free_standard, free_accessible, free_ev, free_large, observed_at, received_at,
    committed_at, history_at
)"""
NOW = "now(), now(), now(), now()"


def features(*rows: tuple[dict[str, Any], dict[str, Any]]) -> str:
    """A FeatureCollection of (properties, geometry)."""
    listed = [{"type": "Feature", "properties": p, "geometry": g} for p, g in rows]
    return json.dumps({"type": "FeatureCollection", "features": listed}, ensure_ascii=False)


def district(adcode: str, west: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """A district of 0.1 degrees, from 36.0 N."""
    names = {"name_zh": f"区{adcode}", "name_en": f"District {adcode}"}
    return {"adcode": adcode, **names}, square(west, 36.0, 0.1)


def zone(
    key: str, west: float, valid_from: str, valid_to: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A zone of 0.05 degrees, from 36.0 N."""
    names = {"name_zh": f"价区{key}", "name_en": f"Zone {key}"}
    times = {"valid_from": valid_from, "valid_to": valid_to}
    return {"zone_id": key, **names, "zone_class": 1, **times}, square(west, 36.0, 0.05)


OPERATORS = """\
operator_id,name_zh,name_en
op-a,甲公司,Operator A
op-b,乙公司,Operator B
"""
GATEWAYS = """\
gateway_id,operator_id,simulated
gw-a1,op-a,true
gw-a2,op-a,false
gw-b1,op-b,true
"""
LOTS = """\
lot_id,operator_id,gateway_id,district,name_zh,name_en,lot_type,land_use,reporting,\
report_interval_s,capacity,levels,height_limit_m,opens_at,closes_at,timezone,longitude,latitude
370202-0001,op-a,gw-a1,370202,甲一,A One,surface,mall,bays,300,4,1,,,,Asia/Shanghai,120.01,36.01
370202-0002,op-a,gw-a2,,甲二,A Two,underground,,count,900,3,2,2.1,06:00,22:30,,120.08,36.02
370203-0001,op-b,gw-b1,370203,乙一,B One,on_street,street,bays,60,2,,,20:00,02:00,,120.11,36.03
"""
BAYS = """\
lot_id,number,level,space_class,longitude,latitude
370202-0001,1,0,accessible,120.0100,36.0100
370202-0001,2,0,standard,120.0101,36.0100
370202-0001,3,0,ev,120.0102,36.0100
370202-0001,4,-1,large,120.0103,36.0100
370202-0002,1,-2,standard,120.0800,36.0200
370203-0001,1,0,standard,120.1100,36.0300
370203-0001,2,0,standard,120.1101,36.0300
"""
DISTRICTS = features(district("370202", 120.0), district("370203", 120.1))
ZONES = features(
    zone("z-old", 120.0, "2020-01-01T00:00:00+08:00", "2024-01-01T00:00:00+08:00"),
    zone("z-new", 120.0, "2024-01-01T00:00:00+08:00", "2099-01-01T00:00:00+08:00"),
    zone("z-future", 120.0, "2099-01-01T00:00:00+08:00"),
)
FILES = {
    "operators.csv": OPERATORS,
    "gateways.csv": GATEWAYS,
    "lots.csv": LOTS,
    "bays.csv": BAYS,
    "districts.geojson": DISTRICTS,
    "zones.geojson": ZONES,
}


def write_city(directory: Path, *changes: tuple[str, str, str]) -> Path:
    """Write the city, with changes as (file, old text, new text); return its directory."""
    directory.mkdir(exist_ok=True)
    files = dict(FILES)
    for name, old, new in changes:
        assert old in files[name], f"{name} does not hold {old!r}"
        files[name] = files[name].replace(old, new)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory
