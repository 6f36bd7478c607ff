"""GeoJSON files as rows: the properties of each feature as cells, its geometry beside them."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pyproj import CRS
from pyproj.exceptions import CRSError

from parking_api.importing.faults import Faults, shown
from parking_api.importing.synonyms import match_columns
from parking_api.importing.texts import Encoding, read_text

# WGS 84 as EPSG and as OGC have it, also with heights, and CGCS2000, which is within centimetres.
_DEGREES: Final = (("EPSG", "4326"), ("EPSG", "4979"), ("OGC", "CRS84"), ("OGC", "CRS84h"))
_CGCS2000: Final = (("EPSG", "4490"), ("EPSG", "4480"))
_OWN_ID: Final = "id"


@dataclass(frozen=True)
class Feature:
    """A feature: its number from 1, its own `id` as text, and its cells and geometry as found.

    One that is at fault has an empty geometry, and what of it can be read.
    """

    number: int
    own_id: str
    cells: Mapping[str, str]
    geometry: dict[str, Any]


@dataclass(frozen=True)
class Features:
    """The features of a file.

    Attributes:
        file: The file's name.
        labels: What the file calls each field that it has.
        ignored: The properties that are no field.
        rows: Those that are features; their cells are by field.
        spoilt: Number and id of those that are none, where they have an id.
        total: How many there are, right or wrong.
    """

    file: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = ()
    rows: Sequence[Feature] = ()
    spoilt: Sequence[tuple[int, str]] = ()
    total: int = 0


def read_features(
    path: Path,
    fields: Collection[str],
    key_field: str,
    faults: Faults,
    encoding: Encoding = "utf-8",
) -> Features:
    """Read a GeoJSON FeatureCollection; what in it is no feature is a fault.

    Args:
        path: The file.
        fields: What its properties may be.
        key_field: The field for which a feature's own `id` serves where it is missing.
        faults: Where the reasons go. Coordinates must be longitude, latitude in degrees: an
            old-style `crs` member that says otherwise is a fault.
        encoding: What it is in if it is not UTF-8.

    Returns:
        The features; none if the file cannot be read.
    """
    document = read_json(path, faults, encoding)
    if document is None:
        return Features(path.name)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        faults.give_up(path.name, None, None, "is not a GeoJSON FeatureCollection")
        return Features(path.name)
    if message := _wrong_crs(document.get("crs")):
        faults.give_up(path.name, None, "crs", message)
        return Features(path.name)
    read = [_feature(path.name, number, one, faults) for number, one in enumerate(features, 1)]
    return _by_field(path.name, read, fields, key_field, faults)


def _by_field(
    file: str,
    rows: Sequence[Feature],
    fields: Collection[str],
    key_field: str,
    faults: Faults,
) -> Features:
    found = list(dict.fromkeys(label for row in rows for label in row.cells))
    labels = match_columns(file, None, found, fields, faults)
    ignored = [label for label in found if label not in labels.values()]
    if any(row.own_id for row in rows):
        labels.setdefault(key_field, _OWN_ID)
    named, spoilt = [], []
    for row in rows:
        cells = {name: row.cells[label] for name, label in labels.items() if label in row.cells}
        # A property that is called `id` may count rows; the feature's own is what it is known by.
        is_own = labels.get(key_field) == _OWN_ID or not cells.get(key_field, "").strip()
        if is_own and row.own_id:
            cells[key_field] = row.own_id
        if not row.geometry:
            spoilt.append((row.number, cells.get(key_field, "")))
        else:
            named.append(Feature(row.number, row.own_id, cells, row.geometry))
    return Features(file, labels, ignored, named, spoilt, len(rows))


def _feature(file: str, number: int, feature: object, faults: Faults) -> Feature:
    given = feature if isinstance(feature, dict) else {}
    properties = given.get("properties")
    found = given.get("geometry")
    geometry: dict[str, Any] = found if isinstance(found, dict) else {}
    cells: dict[str, str] = {}
    twice = ""
    for name, value in properties.items() if isinstance(properties, dict) else ():
        label = name.strip().lower()
        twice = label if label in cells else twice
        cells[label] = _as_cell(value)
    column, message = None, ""
    if given.get("type") != "Feature":
        message = "is not a GeoJSON Feature"
    elif not isinstance(properties, dict):
        column, message = "properties", "are missing"
    elif not geometry:
        column, message = "geometry", "is missing"
    elif twice:
        column, message = twice, "is there twice, in capitals and small letters"
    if message:
        faults.gaps.add(file)
        faults.add(file, number, column, message)
        geometry = {}
    return Feature(number, _as_cell(given.get("id")), cells, geometry)


def _as_cell(value: object) -> str:
    """A JSON value as a CSV cell would hold it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _wrong_crs(member: object) -> str | None:
    """Say which coordinate system a `crs` member names, if that is not WGS 84 in degrees."""
    if member is None:
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    given = properties if isinstance(properties, dict) else {}
    name = given.get("name") or (f"EPSG:{given['code']}" if "code" in given else member)
    text = name if isinstance(name, str) else json.dumps(name)
    try:
        system = CRS.from_user_input(f"OGC:{text}" if text == "CRS84" else text)
    except CRSError:
        return f"{shown(text)} is no coordinate system that is known here"
    authority = system.to_authority(min_confidence=100)
    if authority in (*_DEGREES, *_CGCS2000):
        return None
    code = f"{':'.join(authority)} " if authority else ""
    unit = system.axis_info[0].unit_name if system.axis_info else "unknown"
    return (
        f"is {code}({system.name}, in units of {unit}); longitude and latitude in WGS 84 or "
        "CGCS2000 (EPSG:4326 or EPSG:4490) are wanted"
    )


def read_json(path: Path, faults: Faults, encoding: Encoding = "utf-8") -> Any:  # noqa: ANN401 - JSON of any kind
    """Read a JSON file; None, with the reason noted, if it is none."""
    text = read_text(path, faults, encoding)
    if text is None:
        return None
    try:
        document = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_without_doubles
        )
    except json.JSONDecodeError as error:
        message = f"is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        faults.give_up(path.name, None, None, message)
    except (ValueError, RecursionError) as error:
        faults.give_up(path.name, None, None, f"is not JSON: {error}")
    else:
        if document is not None:
            return document
        faults.give_up(path.name, None, None, "holds nothing but null")
    return None


def _without_doubles(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        name = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"one object has the member {shown(name)} twice")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")
