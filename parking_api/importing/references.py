"""What lots and gateways refer to: operators, gateways, districts and their ground."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from parking_api.geometry import covers
from parking_api.importing.faults import Faults, shown
from parking_api.importing.reading import Register
from parking_api.importing.rows import NORTH, GatewayRow, LotRow


@dataclass(frozen=True)
class Known:
    """What a lot may refer to.

    Attributes:
        has_operator: Whether an operator is, or may be, there.
        has_gateway: Whether a gateway is, or may be, there.
        has_district: Whether a district is, or may be, there.
        gateway_operators: Operator by gateway, of the gateways that are right.
        districts: Prepared polygons by adcode, WGS 84 degrees, of the districts that are right.
        timezones: The time zones that the database knows; empty to take any.
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
        for column, message in (*_references(lot, known), *_swapped(lot, known)):
            faults.add(lots.file, lots.rows[key], (columns or {}).get(column, column), message)


def _references(lot: LotRow, known: Known) -> Iterator[tuple[str, str]]:
    """Yield column and message of each reference that is wrong."""
    if not known.has_operator(lot.operator_id):
        yield "operator_id", f"there is no operator {shown(lot.operator_id)}"
    owner = known.gateway_operators.get(lot.gateway_id)
    if not known.has_gateway(lot.gateway_id):
        yield "gateway_id", f"there is no gateway {shown(lot.gateway_id)}"
    elif owner is not None and owner != lot.operator_id:
        message = f"{shown(lot.gateway_id)} is a gateway of {shown(owner)}, the lot is not"
        yield "gateway_id", message
    if known.timezones and lot.timezone not in known.timezones:
        yield "timezone", f"the database does not know {shown(lot.timezone)}"
    if lot.district is None:
        return
    polygon = known.districts.get(lot.district)
    if not known.has_district(lot.district):
        yield "district", f"there is no district {shown(lot.district)}"
    elif polygon is not None and not covers(polygon, lot.longitude, lot.latitude):
        place = f"{lot.longitude:.6f}, {lot.latitude:.6f}"
        yield "district", f"{lot.district} does not contain the lot's place {place}"


def _swapped(lot: LotRow, known: Known) -> Iterator[tuple[str, str]]:
    """Yield a fault where a lot is in no district, and would be in one the other way round."""
    if abs(lot.longitude) > NORTH or any(
        covers(polygon, lot.longitude, lot.latitude) for polygon in known.districts.values()
    ):
        return
    for adcode, polygon in known.districts.items():
        if covers(polygon, lot.latitude, lot.longitude):
            place = f"{lot.latitude:.6f} and longitude {lot.longitude:.6f}"
            yield "latitude", f"{place} look swapped: the other way round it is in {adcode}"
            return
