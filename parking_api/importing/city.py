"""A city directory: read and checked without a database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely
from shapely.geometry import MultiPolygon

from parking_api.importing.bays import Bay, read_bays
from parking_api.importing.checks import Known, check_gateways, check_lots
from parking_api.importing.faults import Faults
from parking_api.importing.geometry import GeometryError, read_multipolygon
from parking_api.importing.progress import Steps
from parking_api.importing.reading import read_features, read_table
from parking_api.importing.register import Register, id_field, read_register
from parking_api.importing.rows import (
    DistrictRow,
    GatewayRow,
    LotRow,
    Model,
    OperatorRow,
    ZoneRow,
)
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
