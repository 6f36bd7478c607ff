"""Makes a further city of one in the import format: elsewhere on the map, under ids of its own."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_IDS: Final = ("lot_id", "operator_id", "gateway_id", "district")
_PLACE_IDS: Final = ("adcode", "zone_id")
_DIGITS: Final = 7


def move_city(source: Path, target: Path, prefix: str, east: float) -> None:
    """Write a moved copy of a city.

    Along a parallel, so that all distances stay as they are. Names, capacities, hours and prices
    stay too; price controls hold for classes of zones, and so for all cities.

    Args:
        source: The city's directory.
        target: The copy's; it is made.
        prefix: Put before every id.
        east: Degrees of longitude.
    """
    target.mkdir()
    for file in source.glob("*.csv"):
        _move_rows(file, target / file.name, prefix, east)
    for file in source.glob("*.geojson"):
        _rewrite(file, target / file.name, lambda content: _move_features(content, prefix, east))
    _rewrite(
        source / "tariffs.json",
        target / "tariffs.json",
        lambda content: _rename_tariffs(content, prefix),
    )


def _move_rows(source: Path, target: Path, prefix: str, east: float) -> None:
    with (
        source.open(newline="", encoding="utf-8") as read,
        target.open("w", newline="", encoding="utf-8") as write,
    ):
        rows, writer = csv.reader(read), csv.writer(write, lineterminator="\n")
        header = next(rows)
        writer.writerow(header)
        ids = [header.index(name) for name in _IDS if name in header]
        place = header.index("longitude") if "longitude" in header else None
        for row in rows:
            for at in ids:
                # A lot may be in no district.
                row[at] = row[at] and prefix + row[at]
            if place is not None:
                row[place] = f"{float(row[place]) + east:.{_DIGITS}f}"
            writer.writerow(row)


def _rewrite(source: Path, target: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(source.read_bytes())
    change(content)
    target.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _move_features(content: Any, prefix: str, east: float) -> None:
    for feature in content["features"]:
        properties, geometry = feature["properties"], feature["geometry"]
        properties |= {name: prefix + properties[name] for name in _PLACE_IDS if name in properties}
        geometry["coordinates"] = _moved(geometry["coordinates"], east)


def _moved(coordinates: list[Any], east: float) -> list[Any]:
    if isinstance(coordinates[0], list):
        return [_moved(each, east) for each in coordinates]
    longitude, *others = coordinates
    return [longitude + east, *others]


def _rename_tariffs(content: Any, prefix: str) -> None:
    for tariff in content["tariffs"]:
        tariff["document"]["id"] = prefix + tariff["document"]["id"]
        applies = tariff["applies_to"]
        for kind in ("zones", "lots"):
            if kind in applies:
                applies[kind] = [prefix + each for each in applies[kind]]
