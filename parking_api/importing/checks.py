"""What rows say about each other: references, ownership, places."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from parking_api.importing.faults import Faults, shown
from parking_api.importing.geometry import covers
from parking_api.importing.register import Register
from parking_api.importing.rows import GatewayRow, LotRow


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
