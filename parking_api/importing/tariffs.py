"""tariffs.json: what a city charges already, checked like everything else that comes in.

{"calendar": {"holidays": [dates], "makeup_workdays": [dates]},
 "price_controls": [as POST /v1/price-controls takes them, without `reason`],
 "tariffs": [{"document": tariff, "applies_to": {"zones", "lot_types"} or {"lots"},
              "effective_from": RFC 3339}]}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import pricing
from parking_api.importing.faults import Faults, shown
from parking_api.importing.reading import Register, read_json
from parking_api.importing.rows import Instant, LotRow, ZoneRow
from parking_api.price_controls.models import NewControl
from parking_api.quotes.errors import TariffInvalidError
from parking_api.tariffs.documents import checked
from parking_api.tariffs.models import AppliesTo

TARIFFS: Final = "tariffs.json"
_REASON: Final = "导入"


class GivenTariff(BaseModel):
    """A tariff that is in force already."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: dict[str, Any]
    applies_to: AppliesTo
    effective_from: Instant


class GivenTariffs(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calendar: pricing.Calendar = pricing.Calendar()
    price_controls: tuple[NewControl, ...] = ()
    tariffs: Annotated[tuple[GivenTariff, ...], Field(max_length=10_000)] = ()


def read_tariffs(
    path: Path, zones: Register[ZoneRow], lots: Register[LotRow], faults: Faults
) -> GivenTariffs:
    """Read the file, if it is there; a city may come without.

    Args:
        path: `tariffs.json`.
        zones: What tariffs may apply to.
        lots: The same.
        faults: Where faults go, each with its path in the file.
    """
    if not path.exists():
        return GivenTariffs()
    document = read_json(path, faults)
    if not isinstance(document, dict):
        faults.add(path.name, None, None, "is not a JSON object")
        return GivenTariffs()
    try:
        given = GivenTariffs.model_validate(_with_reasons(document))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            faults.add(path.name, None, _path(fault["loc"]), fault["msg"])
        return GivenTariffs()
    seen: set[str] = set()
    for place, tariff in enumerate(given.tariffs):
        _check(f"tariffs[{place}]", tariff, {"zones": zones, "lots": lots}, faults)
        tariff_id = str(tariff.document.get("id"))
        if tariff_id in seen:
            message = f"{shown(tariff_id)} was there already"
            faults.add(path.name, None, f"tariffs[{place}].document.id", message)
        seen.add(tariff_id)
    return given


def _with_reasons(document: Mapping[str, Any]) -> dict[str, Any]:
    controls = document.get("price_controls", [])
    if not isinstance(controls, list):
        return dict(document)
    reasoned = [
        {"reason": _REASON, **each} if isinstance(each, dict) else each for each in controls
    ]
    return {**document, "price_controls": reasoned}


def _check(
    where: str, tariff: GivenTariff, known: Mapping[str, Register[Any]], faults: Faults
) -> None:
    try:
        checked(tariff.document)
    except TariffInvalidError as error:
        for fault in error.faults:
            faults.add(TARIFFS, None, f"{where}.{fault.parameter}", fault.message)
    for kind, register in known.items():
        for key in getattr(tariff.applies_to, kind):
            if not register.may_have(key):
                message = f"there is no {kind.removesuffix('s')} {shown(key)}"
                faults.add(TARIFFS, None, f"{where}.applies_to.{kind}", message)


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(parts).removeprefix(".")
