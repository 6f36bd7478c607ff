"""Documents of tariffs that are to be kept: how they are checked, and what is stored of them."""

import json
import re
from typing import Any, Final, TypedDict

import pricing
from parking_api.errors import ParameterFault
from parking_api.parameters import ID_PATTERN
from parking_api.price_controls.service import Target
from parking_api.quotes.errors import TariffInvalidError
from parking_api.quotes.service import read_document

_ID: Final = re.compile(ID_PATTERN)


def checked(document: dict[str, Any], tariff_id: str | None = None) -> pricing.Tariff:
    """Read a document that is to be kept.

    Args:
        document: As it was sent.
        tariff_id: The tariff that it is a version of; None for a new one.

    Raises:
        TariffInvalidError: With every fault of it.
    """
    try:
        tariff, faults = read_document(document), []
    except TariffInvalidError as error:
        tariff, faults = None, list(error.faults)
    given = document.get("id")
    if tariff_id is not None and given != tariff_id:
        faults.append(ParameterFault(parameter="document.id", message=f"should be {tariff_id}"))
    elif isinstance(given, str) and not _ID.fullmatch(given):
        message = "should be of a-z, 0-9, dot, dash and underscore, 64 at most"
        faults.append(ParameterFault(parameter="document.id", message=message))
    if "\\u0000" in json.dumps(document):
        faults.append(ParameterFault(parameter="document", message="holds a NUL character"))
    if tariff is None or faults:
        raise TariffInvalidError(faults=faults)
    return tariff


class Columns(TypedDict):
    """What a version says, and what it applies to."""

    document_text: str
    content_hash: str
    zones: list[str]
    lot_types: list[str]
    lots: list[str]


def columns(document: dict[str, Any], target: Target) -> Columns:
    """Give what is stored of a document and what it applies to, each id once and in order."""
    return {
        "document_text": json.dumps(document, ensure_ascii=False),
        "content_hash": pricing.content_hash(document),
        "zones": sorted(set(target.zones)),
        "lot_types": sorted(set(target.lot_types)),
        "lots": sorted(set(target.lots)),
    }
