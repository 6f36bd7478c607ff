"""A city directory: read and checked without a database, each row alone and against others."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from parking_api.geometry import GeometryError, covers, read_multipolygon
from parking_api.importing.bays import Bay, read_bays
from parking_api.importing.faults import Faults, shown
from parking_api.importing.progress import Steps
from parking_api.importing.reading import (
    Model,
    Register,
    id_field,
    read_features,
    read_register,
    read_table,
)
from parking_api.importing.rows import DistrictRow, GatewayRow, LotRow, OperatorRow, ZoneRow
from parking_api.importing.tariffs import TARIFFS, GivenTariffs, read_tariffs

OPERATOR_COLUMNS: Final = ("operator_id", "name_zh", "name_en")
GATEWAY_COLUMNS: Final = ("gateway_id", "operator_id")
LOT_COLUMNS: Final = (
    "lot_id",
    "operator_id",
    "gateway_id",
    "district",
    "name_zh",
    "name_en",
    "lot_type",
    "land_use",
    "reporting",
    "report_interval_s",
    "capacity",
    "levels",
    "height_limit_m",
    "opens_at",
    "closes_at",
    "timezone",
    "longitude",
    "latitude",
)


@dataclass(frozen=True)
class City:
    """A whole city as its directory has it; right when its faults are none.

    Attributes:
        operators: operators.csv.
        gateways: gateways.csv.
        districts: districts.geojson without its polygons.
        district_polygons: They, by adcode.
        zones: zones.geojson without its polygons.
        zone_polygons: They, by zone_id.
        lots: lots.csv.
        bays: bays.csv, ready for COPY.
        tariffs: tariffs.json, which may be missing.
    """

    operators: Register[OperatorRow]
    gateways: Register[GatewayRow]
    districts: Register[DistrictRow]
    district_polygons: Mapping[str, MultiPolygon]
    zones: Register[ZoneRow]
    zone_polygons: Mapping[str, MultiPolygon]
    lots: Register[LotRow]
    bays: list[Bay]
    tariffs: GivenTariffs


def read_city(
    directory: Path, faults: Faults, steps: Steps, timezones: frozenset[str] = frozenset()
) -> City:
    """Read a city directory and check each row, alone and against the others.

    Args:
        directory: Where the six files are.
        faults: Where faults go; the city may be loaded only if there are none.
        steps: Told how far it is.
        timezones: The time zones that the database knows; empty to take any IANA one.

    Returns:
        What could be read.
    """
    with steps.step("reading districts, operators, gateways, zones, lots"):
        operators = _read_csv(OperatorRow, directory / "operators.csv", OPERATOR_COLUMNS, faults)
        gateways = _read_csv(GatewayRow, directory / "gateways.csv", GATEWAY_COLUMNS, faults)
        districts, district_polygons = _read_polygons(
            DistrictRow, directory / "districts.geojson", faults
        )
        zones, zone_polygons = _read_polygons(ZoneRow, directory / "zones.geojson", faults)
        lots = _read_csv(LotRow, directory / "lots.csv", LOT_COLUMNS, faults)
        check_gateways(gateways, operators.may_have, faults)
        known = Known(
            has_operator=operators.may_have,
            has_gateway=gateways.may_have,
            has_district=districts.may_have,
            gateway_operators={k: gateway.operator_id for k, gateway in gateways.entries.items()},
            districts=district_polygons,
            timezones=timezones,
        )
        check_lots(lots, known, faults)
        tariffs = read_tariffs(directory / TARIFFS, zones, lots, faults)
    expected = sum(lot.capacity for lot in lots.entries.values())
    with steps.step("reading bays", expected) as advance:
        bays = read_bays(directory / "bays.csv", lots, faults, advance)
    return City(
        operators,
        gateways,
        districts,
        district_polygons,
        zones,
        zone_polygons,
        lots,
        bays,
        tariffs,
    )


def _read_csv(
    model: type[Model], path: Path, columns: tuple[str, ...], faults: Faults
) -> Register[Model]:
    table = read_table(path, columns, faults)
    return read_register(model, path.name, table.cells() if table else (), faults)


def _read_polygons(
    model: type[Model], path: Path, faults: Faults
) -> tuple[Register[Model], dict[str, MultiPolygon]]:
    polygons: dict[str, MultiPolygon] = {}
    key_field = id_field(model)

    def records() -> Iterator[tuple[int, dict[str, str]]]:
        for feature in read_features(path, faults):
            try:
                polygon = read_multipolygon(feature.geometry)
            except GeometryError as error:
                faults.add(path.name, feature.number, "geometry", str(error))
            else:
                shapely.prepare(polygon)
                polygons.setdefault(feature.cells.get(key_field, "").strip(), polygon)
            yield feature.number, feature.cells

    return read_register(model, path.name, records(), faults), polygons


@dataclass(frozen=True)
class Known:
    """What a lot may refer to.

    Attributes:
        has_operator: Whether an operator is, or may be, there.
        has_gateway: Whether a gateway is, or may be, there.
        has_district: Whether a district is, or may be, there.
        gateway_operators: Operator by gateway, of the gateways that are right.
        districts: Prepared polygons by adcode, WGS 84 degrees, of the districts that are right.
        timezones: The time zones that the database knows; empty if it was not asked.
    """

    has_operator: Callable[[str], bool]
    has_gateway: Callable[[str], bool]
    has_district: Callable[[str], bool]
    gateway_operators: Mapping[str, str]
    districts: Mapping[str, BaseGeometry]
    timezones: Collection[str] = frozenset()


def check_gateways(
    gateways: Register[GatewayRow], has_operator: Callable[[str], bool], faults: Faults
) -> None:
    """Note the gateways of unknown operators."""
    for key, gateway in gateways.entries.items():
        if not has_operator(gateway.operator_id):
            message = f"there is no operator {shown(gateway.operator_id)}"
            faults.add(gateways.file, gateways.rows[key], "operator_id", message)


def check_lots(
    lots: Register[LotRow],
    known: Known,
    faults: Faults,
    columns: Mapping[str, str] | None = None,
) -> None:
    """Note all that is wrong between the lots and what they refer to.

    Args:
        lots: The lots, WGS 84.
        known: What they may refer to.
        faults: Where faults go.
        columns: What the file calls a field, where that is not its name.
    """
    for key, lot in lots.entries.items():
        row = lots.rows[key]
        for column, message in (*_references(lot, known), *_place(lot, known)):
            faults.add(lots.file, row, (columns or {}).get(column, column), message)


def _references(lot: LotRow, known: Known) -> list[tuple[str, str]]:
    found = []
    if not known.has_operator(lot.operator_id):
        found.append(("operator_id", f"there is no operator {shown(lot.operator_id)}"))
    owner = known.gateway_operators.get(lot.gateway_id)
    if not known.has_gateway(lot.gateway_id):
        found.append(("gateway_id", f"there is no gateway {shown(lot.gateway_id)}"))
    elif owner is not None and owner != lot.operator_id:
        message = f"{shown(lot.gateway_id)} is a gateway of {shown(owner)}, the lot is not"
        found.append(("gateway_id", message))
    if known.timezones and lot.timezone not in known.timezones:
        found.append(("timezone", f"the database does not know {shown(lot.timezone)}"))
    return found


def _place(lot: LotRow, known: Known) -> list[tuple[str, str]]:
    if lot.district is None:
        return []
    if not known.has_district(lot.district):
        return [("district", f"there is no district {shown(lot.district)}")]
    polygon = known.districts.get(lot.district)
    if polygon is None or covers(polygon, lot.longitude, lot.latitude):
        return []
    place = f"{lot.longitude:.6f}, {lot.latitude:.6f}"
    return [("district", f"{lot.district} does not contain the lot's place {place}")]
