"""Reads a city directory and checks each row, alone and against others, without a database."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely
from shapely.geometry import MultiPolygon

from parking_api.geometry import GeometryError, read_multipolygon
from parking_api.importing.bays import Bay, read_bays
from parking_api.importing.faults import Faults, shown
from parking_api.importing.features import read_features
from parking_api.importing.progress import Steps
from parking_api.importing.reading import Model, Register, id_field, read_register
from parking_api.importing.references import Known, check_gateways, check_lots
from parking_api.importing.rows import (
    CLOSURE,
    PLACE,
    DistrictRow,
    GatewayRow,
    LotRow,
    NamedPlaceRow,
    OperatorRow,
    ZoneRow,
)
from parking_api.importing.synonyms import plain_cell
from parking_api.importing.tables import read_table
from parking_api.importing.tariffs import TARIFFS, GivenTariffs, read_tariffs
from parking_api.importing.texts import Encoding

# It may be missing.
PLACES: Final = "places.csv"


@dataclass(frozen=True)
class City:
    """A city as its directory has it; right if no fault was found.

    Attributes:
        operators: operators.csv.
        gateways: gateways.csv.
        districts: districts.geojson without its polygons.
        district_polygons: The polygons by adcode.
        zones: zones.geojson without its polygons.
        zone_polygons: The polygons by zone_id.
        lots: lots.csv.
        bays: bays.csv, ready for COPY.
        tariffs: tariffs.json, which may be missing.
        places: places.csv, which may be missing.
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
    places: Register[NamedPlaceRow]


def read_city(
    directory: Path,
    faults: Faults,
    steps: Steps,
    timezones: frozenset[str] = frozenset(),
    encoding: Encoding = "utf-8",
) -> City:
    """Read a city directory and check each row, alone and against the others.

    Args:
        directory: Where the six files are.
        faults: Where faults go; the city may be loaded only if there are none.
        steps: Shows how far it is.
        timezones: The time zones that the database knows; empty to take any IANA one.
        encoding: What those files are in that are not UTF-8.

    Returns:
        What could be read.
    """
    with steps.step("reading districts, operators, gateways, zones, lots"):
        files = _Files(directory, faults, encoding)
        operators = files.table(OperatorRow, "operators.csv")
        gateways = files.table(GatewayRow, "gateways.csv", {"simulated"})
        districts, district_polygons = files.polygons(DistrictRow, "districts.geojson")
        zones, zone_polygons = files.polygons(ZoneRow, "zones.geojson")
        lots = files.table(LotRow, "lots.csv", {*CLOSURE, "retired"})
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
        places = _read_places(files, districts.may_have)
        tariffs = read_tariffs(directory / TARIFFS, zones, lots, faults, encoding)
    bays = read_bays(directory / "bays.csv", lots, faults, steps, encoding)
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
        places,
    )


@dataclass(frozen=True)
class _Files:
    """The files of a directory, each read by what its rows are."""

    directory: Path
    faults: Faults
    encoding: Encoding

    def table(
        self, model: type[Model], file: str, may_lack: Collection[str] = ()
    ) -> Register[Model]:
        """Read a file that has a column for each field, but for those that it may lack."""
        required = [name for name in model.model_fields if name not in may_lack]
        # A place comes last, as in the file.
        required.sort(key=PLACE.__contains__)
        table = read_table(
            self.directory / file, model.model_fields, required, self.faults, self.encoding
        )
        return read_register(model, file, table.cells(), self.faults, table.labels)

    def polygons(
        self, model: type[Model], file: str
    ) -> tuple[Register[Model], dict[str, MultiPolygon]]:
        """Read a GeoJSON file of polygons; they stand by the ids of its rows."""
        polygons: dict[str, MultiPolygon] = {}
        key_field = id_field(model)
        features = read_features(
            self.directory / file, model.model_fields, key_field, self.faults, self.encoding
        )
        for feature in features.rows:
            try:
                polygon = read_multipolygon(feature.geometry)
            except GeometryError as error:
                self.faults.add(file, feature.number, "geometry", str(error))
            else:
                shapely.prepare(polygon)
                key = plain_cell(key_field, feature.cells.get(key_field, ""))
                polygons.setdefault(key, polygon)
        rows = ((feature.number, feature.cells) for feature in features.rows)
        return read_register(model, file, rows, self.faults, features.labels), polygons


def _read_places(files: _Files, has_district: Callable[[str], bool]) -> Register[NamedPlaceRow]:
    """Read the named places, and note those of unknown districts; none without their file."""
    if not (files.directory / PLACES).exists():
        return read_register(NamedPlaceRow, PLACES, iter(()), files.faults)
    places = files.table(NamedPlaceRow, PLACES, {"district"})
    for key, place in places.entries.items():
        if place.district is not None and not has_district(place.district):
            message = f"there is no district {shown(place.district)}"
            files.faults.add(places.file, places.rows[key], "district", message)
    return places
