"""The city's files, in the import format."""

import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from shapely.geometry import mapping

from simulators.city.bays import CLASSES
from simulators.city.build import City
from simulators.city.ground import districts_document, load_places
from simulators.city.lots import REPORT_INTERVAL_S, TIMEZONE
from simulators.city.tariffs import VALID_FROM, tariffs_document
from simulators.city.zones import load_zones

DISTRICTS: Final = "districts.geojson"
LOTS: Final = "lots.csv"
BAYS: Final = "bays.csv"
PLACES: Final = "places.csv"
ZONES: Final = "zones.geojson"
TARIFFS: Final = "tariffs.json"
FILES: Final = (DISTRICTS, "operators.csv", "gateways.csv", ZONES, TARIFFS, PLACES, LOTS, BAYS)
GENERATOR: Final = "onelot city"
"""Marks a districts.geojson as ours, so that nobody's real data are written over."""
_PARTIAL: Final = ".partial-"
_LOTS_AT_ONCE: Final = 50


class TargetRefusedError(Exception):
    """The target directory holds other files than those of an earlier city."""


Progress = Callable[[int], object]
"""Called with the number of bays written so far."""


def check_target(directory: Path) -> None:
    """Refuse a target that is in use for something else.

    Args:
        directory: May be missing, empty, or hold an earlier city and nothing else.

    Raises:
        TargetRefusedError: Otherwise.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise TargetRefusedError(f"{directory} is not a directory")
    names = {p.name for p in directory.iterdir() if not p.name.startswith(_PARTIAL)}
    if strange := sorted(names - set(FILES)):
        raise TargetRefusedError(f"{directory} holds {strange[0]}, which is not part of a city")
    if names and not _is_ours(directory / DISTRICTS):
        raise TargetRefusedError(f"{directory} holds files that `city` has not written")


def _is_ours(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("generator") == GENERATOR


def write_city(city: City, directory: Path, progress: Progress) -> None:
    """Write the city's files into a directory, which is made if it is missing.

    The files are written to a temporary directory first and then moved, so that nobody reads
    half a file. Files of the same names are replaced.

    Args:
        city: What to write.
        directory: Where; call `check_target` first.
        progress: Called after every 50 lots' bays.

    Raises:
        OSError: If the files cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=directory) as name:
        partial = Path(name)
        features = [district.feature for district in city.districts]
        _write_json(partial / DISTRICTS, _collection(features))
        _write_json(partial / ZONES, _zones())
        _write_json(partial / TARIFFS, tariffs_document())
        _write_csv(
            partial / "operators.csv",
            "operator_id,name_zh,name_en",
            ((one.operator_id, one.name_zh, one.name_en) for one in city.operators),
        )
        _write_csv(
            partial / "gateways.csv",
            "gateway_id,operator_id,simulated",
            (
                (one.gateway_id, one.operator_id, str(one.simulated).lower())
                for one in city.gateways
            ),
        )
        _write_csv(
            partial / PLACES,
            "place_id,name_zh,name_en,district,longitude,latitude",
            (
                (
                    f"{one.district}-p{number:03d}",
                    one.name_zh,
                    one.name_en,
                    one.district,
                    one.longitude,
                    one.latitude,
                )
                for number, one in enumerate(load_places(), 1)
            ),
        )
        _write_lots(partial / LOTS, city)
        _write_bays(partial / BAYS, city, progress)
        for file in FILES:
            (partial / file).replace(directory / file)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "generator": GENERATOR,
        "attribution": districts_document()["attribution"],
        "features": features,
    }


def _zones() -> dict[str, Any]:
    return _collection(
        [
            {
                "type": "Feature",
                "properties": {
                    "zone_id": zone.zone_id,
                    "name_zh": zone.name_zh,
                    "name_en": zone.name_en,
                    "zone_class": zone.zone_class,
                    "valid_from": VALID_FROM,
                },
                "geometry": mapping(zone.ground),
            }
            for zone in load_zones()
        ]
    )


def _write_csv(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _write_lots(path: Path, city: City) -> None:
    header = (
        "lot_id,operator_id,gateway_id,district,name_zh,name_en,lot_type,land_use,reporting,"
        "report_interval_s,capacity,levels,height_limit_m,opens_at,closes_at,timezone,"
        "longitude,latitude"
    )
    rows = [
        (
            *(lot.lot_id, lot.operator_id, lot.gateway_id, lot.district),
            *(lot.name_zh, lot.name_en, lot.lot_type, lot.land_use, lot.reporting),
            *(REPORT_INTERVAL_S[lot.reporting], lot.capacity, lot.levels),
            "" if lot.height_limit_m is None else f"{lot.height_limit_m:.1f}",
            *(lot.hours or ("", "")),
            *(TIMEZONE, f"{lot.longitude:.7f}", f"{lot.latitude:.7f}"),
        )
        for lot in city.lots
    ]
    _write_csv(path, header, rows)


def _write_bays(path: Path, city: City, progress: Progress) -> None:
    # Plain formatting: no field needs quotes, and it takes half of csv.writer's time.
    lot_ids = [lot.lot_id for lot in city.lots]
    bays, done = city.bays, 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write("lot_id,number,level,space_class,longitude,latitude\n")
        for first in range(0, len(city.lots), _LOTS_AT_ONCE):
            upto = done + sum(lot.capacity for lot in city.lots[first : first + _LOTS_AT_ONCE])
            columns = (
                bays.lot[done:upto].tolist(),
                bays.number[done:upto].tolist(),
                bays.level[done:upto].tolist(),
                bays.space_class[done:upto].tolist(),
                bays.longitude[done:upto].tolist(),
                bays.latitude[done:upto].tolist(),
            )
            file.writelines(
                f"{lot_ids[lot]},{number},{level},{CLASSES[kind]},{longitude:.7f},{latitude:.7f}\n"
                for lot, number, level, kind, longitude, latitude in zip(*columns, strict=True)
            )
            done = upto
            progress(done)
